// Jobs: looks jobs up, by id, by key and by query, and waits for their results.

import { CarillonError } from '../errors.js';
import { partitionOfAlias } from '../job/alias.js';
import { isSettled, readJob } from '../job/job.js';
import { viewJob, type JobView } from '../job/view.js';
import { atLeastOne, dateMs, oneOf, onlyKnown } from '../task/options.js';
import {
  aliasRecord,
  checkIdentity,
  isOf,
  jobRecord,
  pointerPrefix,
  pointerRecord,
  queueName,
} from '../message/names.js';
import type { Ledger, LedgerRecord, ListQuery, RecordKey } from '../ports/ledger.js';
import type { Clock } from '../time/clock.js';
import type { Events } from './events.js';

/** Which job: by its id (of any task, if none is named), or by its task and business key. */
export type JobAddress =
  | { readonly id: string; readonly task?: string }
  | { readonly task: string; readonly key: string };

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
  readonly events: Events;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly namespace: string;
}

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
    const record = await this.find(address);
    return record && viewJob(this.#parts.namespace, record);
  }

  /** One page of jobs. */
  async list(query: JobQuery): Promise<JobPage> {
    checkQuery(query);
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

  /** Waits until the job is settled; throws `E_TIMEOUT` after `withinMs`, `E_ID` if there is no such job. A backend that does
   *  not answer is waited for as well. */
  async result(address: JobAddress, withinMs: number): Promise<JobView> {
    const { clock } = this.#parts;
    const until = clock.monotonic() + withinMs;
    let id = 'id' in address ? address.id : '';
    for (let waitMs = FIRST_LOOK_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_LOOK_MS)) {
      const { view, settled, cause } = await this.#look(address);
      if (view !== undefined && settled) return view;
      id = view?.id ?? id;
      const restMs = until - clock.monotonic();
      if (restMs <= 0) {
        const message = view === undefined ? 'The backend does not answer.' : `The job ${id} is still ${view.state}.`;
        throw new CarillonError('E_TIMEOUT', message, { next: 'Wait longer, or look with get().', id, cause });
      }
      await this.#settled(id, Math.min(waitMs, restMs));
    }
  }

  /** How a job stands, or the cause why nobody can tell now. */
  async #look(address: JobAddress): Promise<{ view?: JobView; settled?: boolean; cause?: unknown }> {
    try {
      const record = await this.find(address);
      if (record !== undefined)
        return { view: viewJob(this.#parts.namespace, record), settled: isSettled(readJob(record)) };
    } catch (cause) {
      if (CarillonError.is(cause)) throw cause;
      return { cause };
    }
    throw new CarillonError('E_ID', 'There is no such job.', { next: 'It may have been forgotten after its `keep`.' });
  }

  /** The record of a job. A job of another task than the one asked for is not found. */
  async find(address: JobAddress): Promise<LedgerRecord | undefined> {
    const { ledger, namespace } = this.#parts;
    if ('id' in address) {
      const found = await this.#findById(checkIdentity(address.id, 'id'));
      if (found?.brief !== undefined) return { ...found, task: address.task ?? found.task }; // its mark names no task
      return address.task === undefined || found?.task === address.task ? found : undefined;
    }
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

  /** Waits for news of a job from this process, at most `ms`. */
  #settled(id: string, ms: number): Promise<void> {
    const { clock, events } = this.#parts;
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
        (event) => events.on(event, heard),
      );
    });
  }
}

const QUERY: readonly (keyof JobQuery)[] = [
  'task',
  'queue',
  'states',
  'keyPrefix',
  'dueFrom',
  'dueBefore',
  'limit',
  'cursor',
];
const STATES = ['scheduled', 'running', 'done', 'dead', 'indeterminate', 'cancelled', 'skipped'];

/** Throws `E_OPTIONS` for what would silently find all jobs, or none. */
function checkQuery(query: JobQuery): void {
  onlyKnown(query, QUERY, 'A query of jobs');
  for (const state of query.states ?? []) oneOf(state, STATES, 'states of a query');
  if (query.limit !== undefined) atLeastOne(query.limit, 'limit of a query');
  for (const name of ['dueFrom', 'dueBefore'] as const) {
    if (query[name] !== undefined) dateMs(query[name], `${name} of a query`);
  }
  if (query.cursor === undefined || typeof query.cursor === 'string') return;
  throw new CarillonError('E_OPTIONS', 'cursor of a query is no text.', {
    next: 'Give the cursor of the page before, or leave it out for the first page.',
  });
}
