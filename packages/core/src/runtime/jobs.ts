// Jobs: looks jobs up and changes those that stand: get, list, result, cancel, reschedule, redrive.
//
// J1  An answer about a change is given after its commit; if the record moved meanwhile, it is looked at again.

import { CarillonError } from '../errors.js';
import { partitionOfAlias } from '../job/alias.js';
import { type Amendment, cancel, redrive, reschedule } from '../job/amend.js';
import { isSettled, readJob } from '../job/job.js';
import { STRANGER } from '../job/arrive.js';
import { close, type Keeping } from '../job/settle.js';
import { viewJob, type JobView } from '../job/view.js';
import {
  aliasRecord,
  checkIdentity,
  idOf,
  isOf,
  jobRecord,
  pointerPrefix,
  pointerRecord,
  queueName,
} from '../message/names.js';
import type { Ledger, LedgerRecord, ListQuery, RecordKey, Write } from '../ports/ledger.js';
import { writeJob } from '../job/job.js';
import type { Clock, Ids } from '../time/clock.js';
import type { Due } from '../time/due.js';
import type { Instant } from '../time/instant.js';
import type { Engine } from './engine.js';

/** Which job: by its id, or by its task and business key. */
export type JobAddress = { readonly id: string } | { readonly task: string; readonly key: string };

/** How a change of a standing job was answered. `running`: an attempt has begun and nobody has heard how it ended; the
 *  wish is left with the job. `requested`: an on-claim job has no record yet; a tombstone will stop it. */
export interface AmendAnswer {
  readonly outcome: 'done' | 'running' | 'settled' | 'unknown' | 'requested';
  readonly id: string | undefined;
  /** How many attempts had begun: above 0, an effect may exist. */
  readonly attempts: number;
}

/** Which jobs to list; every field narrows. */
export interface JobQuery {
  readonly task?: string;
  readonly queue?: string;
  readonly states?: readonly string[];
  /** With `task`: those whose business key starts so. */
  readonly keyPrefix?: string;
  readonly dueFrom?: Date;
  readonly dueBefore?: Date;
  /** At most so many per page; default 100. */
  readonly limit?: number;
  readonly cursor?: string;
}

/** Some jobs; `cursor` is missing on the last page. A page may hold fewer than `limit`, even none, and go on. */
export interface JobPage {
  readonly jobs: readonly JobView[];
  readonly cursor?: string;
}

/** What it works with. */
export interface JobsParts {
  readonly engine: Engine;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly namespace: string;
  readonly keepingOf: (task: string) => Keeping | undefined;
}

const ROUNDS = 50;
const FIRST_LOOK_MS = 20;
const LONGEST_LOOK_MS = 1_000;

/** The jobs that stand in the ledger. */
export class Jobs {
  readonly #parts: JobsParts;

  constructor(parts: JobsParts) {
    this.#parts = parts;
  }

  /** The job, as it is now; undefined if there is none (any more). */
  async get(address: JobAddress): Promise<JobView | undefined> {
    const record = await this.#find(address);
    return record && viewJob(this.#parts.namespace, record);
  }

  /** One page of jobs. */
  async list(query: JobQuery): Promise<JobPage> {
    const { ledger, namespace } = this.#parts;
    const { task, queue, dueFrom, dueBefore, keyPrefix, cursor, limit = 100 } = query;
    const narrowed: Omit<ListQuery, 'kind'> = {
      limit,
      ...(task !== undefined && { task }),
      ...(queue !== undefined && { queue: queueName(namespace, queue) }),
      ...(dueFrom && { dueFrom: dueFrom.getTime() }),
      ...(dueBefore && { dueBefore: dueBefore.getTime() }),
      ...(cursor !== undefined && { cursor }),
    };
    const running = query.states?.includes('running') ?? true;
    const states = query.states && [
      ...new Set(query.states.map((state) => (state === 'running' ? 'scheduled' : state))),
    ];
    const idPrefix = jobRecord(namespace, '').id;
    const page =
      keyPrefix === undefined
        ? await ledger.list({
            kind: 'job',
            ...(idPrefix !== '' && { idPrefix }),
            ...narrowed,
            ...(states && { states }),
          })
        : await this.#byKey(keyPrefix, narrowed);
    const own = page.records.filter((record) => isOf(namespace, record.key));
    const views = own.map((record) => viewJob(namespace, record));
    const jobs = views.filter((view) => query.states?.includes(view.state) ?? (running || view.state !== 'running'));
    return { jobs, ...(page.cursor !== undefined && { cursor: page.cursor }) };
  }

  /** Cancels a job, or leaves the wish to; `abort` also tells a running handler to stop. */
  async cancel(address: JobAddress, abort: boolean): Promise<AmendAnswer> {
    const { namespace, engine, ids, ledger } = this.#parts;
    const answer = await this.#amend(address, (record) =>
      cancel(
        namespace,
        record,
        { want: 'cancel', abort, reason: 'cancelled' },
        engine.time.now(),
        this.#keeping(record),
      ),
    );
    if (answer.outcome !== 'unknown' || !('id' in address) || engine.carriage().fused) return answer;
    const [written] = await ledger.commit([
      { nonce: ids.nonce(), writes: [this.#tombstone(address.id)], durable: true },
    ]);
    return written?.answer === 'ok' ? { ...answer, outcome: 'requested', id: address.id } : this.cancel(address, abort);
  }

  /** Gives a job another due time, or leaves the wish to. */
  reschedule(address: JobAddress, due: Due): Promise<AmendAnswer> {
    const { namespace, engine } = this.#parts;
    return this.#amend(address, (record) =>
      reschedule(namespace, record, due, engine.time.now(), this.#keeping(record), engine.carriage()),
    );
  }

  /** Schedules a job that was set aside once more. */
  redrive(address: JobAddress, due: Due | undefined): Promise<AmendAnswer> {
    const { engine } = this.#parts;
    return this.#amend(address, (record) => redrive(record, due, engine.time.now(), engine.carriage()));
  }

  /** Waits until the job is settled; throws `E_TIMEOUT` after `withinMs`, `E_ID` if there is no such job. */
  async result(address: JobAddress, withinMs: number): Promise<JobView> {
    const { clock } = this.#parts;
    const until = clock.monotonic() + withinMs;
    for (let waitMs = FIRST_LOOK_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_LOOK_MS)) {
      const record = await this.#find(address);
      if (record === undefined)
        throw new CarillonError('E_ID', 'There is no such job.', {
          next: 'It may have been forgotten after its `keep`.',
        });
      const view = viewJob(this.#parts.namespace, record);
      if (isSettled(readJob(record))) return view;
      const restMs = until - clock.monotonic();
      if (restMs <= 0) {
        throw new CarillonError('E_TIMEOUT', `The job ${view.id} is still ${view.state}.`, {
          next: 'Wait longer, or look with get().',
          id: view.id,
        });
      }
      await this.#settled(view.id, Math.min(waitMs, restMs));
    }
  }

  async #amend(address: JobAddress, decide: (record: LedgerRecord) => Amendment): Promise<AmendAnswer> {
    const { ledger, ids, engine, namespace } = this.#parts;
    for (let round = 0; round < ROUNDS; round += 1) {
      const record = await this.#find(address);
      if (record === undefined) return { outcome: 'unknown', id: undefined, attempts: 0 };
      const { answer, attempts, writes, job } = decide(record);
      const done: AmendAnswer = { outcome: answer, id: idOf(namespace, record.key), attempts };
      if (writes.length === 0) return done;
      const [written] = await ledger.commit([{ nonce: ids.nonce(), writes, durable: true }]);
      if (written?.answer !== 'ok') continue; // J1
      for (const write of writes)
        if (write.do === 'put')
          await engine.outbox.send(
            write.key,
            write.content.outbox.map((entry) => entry.message),
          );
      if (answer === 'done') this.#tell(done.id ?? '', job);
      return done;
    }
    throw new CarillonError('E_UNCLEAR', 'The job could not be changed: it changed itself at every try.', {
      next: 'Nothing was changed; call again.',
    });
  }

  async #find(address: JobAddress): Promise<LedgerRecord | undefined> {
    const { ledger, namespace } = this.#parts;
    if ('id' in address) return this.#findById(checkIdentity(address.id, 'id'));
    const [pointer] = await ledger.read([pointerRecord(namespace, address.task, checkIdentity(address.key, 'key'))]);
    if (pointer === undefined) return undefined;
    return (await ledger.read([jobRecord(namespace, pointer.body, pointer.key.partition)]))[0];
  }

  async #findById(id: string): Promise<LedgerRecord | undefined> {
    const { ledger, namespace } = this.#parts;
    if (!ledger.partitioned) return (await ledger.read([jobRecord(namespace, id)]))[0];
    const [job, alias] = await ledger.read([jobRecord(namespace, id), aliasRecord(namespace, id)]);
    if (job !== undefined || alias === undefined) return job;
    return (await ledger.read([jobRecord(namespace, id, partitionOfAlias(alias))]))[0];
  }

  async #byKey(
    keyPrefix: string,
    { task, queue, limit, cursor, dueFrom = -Infinity, dueBefore = Infinity }: Omit<ListQuery, 'kind'>,
  ): Promise<{ records: readonly LedgerRecord[]; cursor?: string }> {
    const { ledger, namespace } = this.#parts;
    if (task === undefined)
      throw new CarillonError('E_OPTIONS', 'keyPrefix is given without a task.', {
        next: 'Name the task: keys are kept per task.',
      });
    const idPrefix = pointerPrefix(namespace, task, keyPrefix);
    const page = await ledger.list({ kind: 'key', idPrefix, limit, ...(cursor !== undefined && { cursor }) });
    const keys: RecordKey[] = page.records.map((pointer) => jobRecord(namespace, pointer.body, pointer.key.partition));
    const found = (await ledger.read(keys)).filter((record) => record !== undefined);
    const records = found.filter(
      (record) =>
        record.dueAt >= dueFrom && record.dueAt < dueBefore && (queue === undefined || record.queue === queue),
    );
    return { records, ...(page.cursor !== undefined && { cursor: page.cursor }) };
  }

  #keeping(record: LedgerRecord): Keeping {
    return this.#parts.keepingOf(record.task) ?? STRANGER;
  }

  #tombstone(id: string): Write {
    const { namespace, engine } = this.#parts;
    const now: Instant = engine.time.now();
    const body = { payload: null, placedAt: now };
    const job = {
      record: jobRecord(namespace, id),
      task: '',
      queue: '',
      generation: 0,
      state: 'scheduled',
      dueAt: now,
      expiresAt: undefined,
      body,
    } as const;
    const gone = close(
      job,
      'cancelled',
      now,
      { keepDoneMs: STRANGER.keepDeadMs, keepDeadMs: STRANGER.keepDeadMs },
      { reason: 'cancelled before it was claimed' },
    );
    return { do: 'put', key: gone.record, expect: { absent: true }, content: writeJob(gone, undefined) };
  }

  #tell(id: string, job: Amendment['job']): void {
    const { events } = this.#parts.engine;
    const about = { id, task: job.task, queue: job.queue, key: job.body.key };
    if (job.state === 'cancelled') events.emit('job:cancelled', { ...about, reason: job.body.reason ?? '' });
    else events.emit('job:rescheduled', { ...about, dueAt: job.dueAt });
  }

  /** Waits for news of a job from this process, at most `ms`. */
  #settled(id: string, ms: number): Promise<void> {
    const { clock, engine } = this.#parts;
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel();
        for (const stop of stops) stop();
        resolve();
      };
      const timer = clock.after(ms, end);
      const heard = (data: { id: string }): void => {
        if (data.id === id) end();
      };
      const stops = (['job:completed', 'job:dead', 'job:indeterminate', 'job:cancelled', 'job:skipped'] as const).map(
        (event) => engine.events.on(event, heard),
      );
    });
  }
}
