// Amendments: changes jobs that stand: cancel, reschedule, redrive.
//
// J1  An answer about a change is given after its commit; if the record moved meanwhile, it is looked at again.

import { CarillonError } from '../errors.js';
import { type Amendment, cancel, redrive, reschedule } from '../job/amend.js';
import { STRANGER } from '../job/arrive.js';
import { writeJob } from '../job/job.js';
import { close } from '../job/settle.js';
import { idOf, jobRecord, queueOf } from '../message/names.js';
import type { Ledger, LedgerRecord, Write } from '../ports/ledger.js';
import type { Keeping } from '../task/options.js';
import type { Ids } from '../time/clock.js';
import type { Due } from '../time/due.js';
import type { Engine } from './engine.js';
import type { JobAddress, Jobs } from './jobs.js';

/** How a change of a standing job was answered. `running`: an attempt has begun and nobody has heard how it ended; the
 *  wish is left with the job. `requested`: an on-claim job has no record yet; a tombstone will stop it. */
export interface AmendAnswer {
  readonly outcome: 'done' | 'running' | 'settled' | 'unknown' | 'requested';
  readonly id: string | undefined;
  /** How many attempts had begun: above 0, an effect may exist. */
  readonly attempts: number;
}

/** What amendments need. */
export interface AmendmentsParts {
  readonly engine: Engine;
  readonly jobs: Jobs;
  readonly ledger: Ledger;
  readonly ids: Ids;
  readonly namespace: string;
  readonly keepingOf: (task: string) => Keeping | undefined;
}

const ROUNDS = 50;

/** The changes to jobs that stand in the ledger. */
export class Amendments {
  readonly #parts: AmendmentsParts;

  constructor(parts: AmendmentsParts) {
    this.#parts = parts;
  }

  /** Cancels a job, or leaves the wish to; `abort` also tells a running handler to stop. An on-claim job that has no record
   *  yet gets a tombstone. */
  async cancel(address: JobAddress, abort: boolean, onClaim: boolean): Promise<AmendAnswer> {
    const { namespace, engine, ids, ledger } = this.#parts;
    const answer = await this.#amend(address, (record) =>
      cancel(
        namespace,
        record,
        { want: 'cancel', abort, reason: 'cancelled' },
        engine.time.now(),
        this.#keeping(record),
        engine.carriage().fused,
      ),
    );
    if (answer.outcome !== 'unknown' || !onClaim || !('id' in address) || engine.carriage().fused) return answer;
    const [written] = await ledger.commit([
      { nonce: ids.nonce(), writes: [this.#tombstone(address.id, address.task ?? '')], durable: true },
    ]);
    return written?.answer === 'ok'
      ? { ...answer, outcome: 'requested', id: address.id }
      : this.cancel(address, abort, onClaim);
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

  async #amend(address: JobAddress, decide: (record: LedgerRecord) => Amendment): Promise<AmendAnswer> {
    const { jobs, ledger, ids, engine, namespace } = this.#parts;
    for (let round = 0; round < ROUNDS; round += 1) {
      const record = await jobs.find(address);
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

  #keeping(record: LedgerRecord): Keeping {
    return this.#parts.keepingOf(record.task) ?? STRANGER;
  }

  #tombstone(id: string, task: string): Write {
    const { namespace, engine } = this.#parts;
    const now = engine.time.now();
    const { horizonMs } = engine.carriage();
    const lastMessageAt = now + horizonMs; // by then its message has come, or its first hop
    const body = { payload: null, placedAt: now, ...(horizonMs !== Infinity && { lastMessageAt }) };
    const job = {
      record: jobRecord(namespace, id),
      task,
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
    const kept = horizonMs === Infinity ? { ...gone, expiresAt: undefined } : gone; // nobody knows when it will come
    return { do: 'put', key: gone.record, expect: { absent: true }, content: writeJob(kept, undefined) };
  }

  #tell(id: string, job: Amendment['job']): void {
    const { engine, namespace } = this.#parts;
    const { events } = engine;
    const about = { id, task: job.task, queue: queueOf(namespace, job.queue), key: job.body.key };
    if (job.state === 'cancelled') events.emit('job:cancelled', { ...about, reason: job.body.reason ?? '' });
    else events.emit('job:rescheduled', { ...about, dueAt: job.dueAt });
  }
}
