// Job work: an attempt at a job that is about to be made, and what follows from it.

import { idOf, queueOf } from '../message/names.js';
import type { Expectation, LedgerRecord, Write } from '../ports/ledger.js';
import type { CatalogEntry } from '../task/catalog.js';
import type { Happening, JobEvent } from '../task/events.js';
import type { Ended, Outcome, Step, Work } from '../task/kind.js';
import type { ResolvedPolicy } from '../task/options.js';
import type { Random } from '../time/clock.js';
import type { Instant } from '../time/instant.js';
import { told } from './happenings.js';
import { type Job, nominalAt, readJob, withBody, writeJob } from './job.js';
import { countInterruptions, settle } from './settle.js';

/** What the kind lends to all its work. */
export interface JobDesk {
  readonly namespace: string;
  readonly random: Random;
  /** What every event about a job says. */
  about(job: Job): JobEvent;
  /** What is written, sent and told when a job comes to stand like this. */
  step(
    job: Job,
    record: LedgerRecord,
    expect: Expectation,
    now: Instant,
    happenings: () => readonly Happening[],
    wakeAt?: Instant,
  ): Step;
}

const NOTHING = (): readonly Happening[] => [];
const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});

/** An attempt at a job. */
export class JobWork implements Work {
  readonly entry: CatalogEntry;
  readonly late: boolean;
  readonly #desk: JobDesk;
  readonly #policy: ResolvedPolicy;
  readonly #granted: LedgerRecord;
  readonly #job: Job;

  /** `job` is what arrived in the record that was granted. */
  constructor(
    desk: JobDesk,
    entry: CatalogEntry,
    policy: ResolvedPolicy,
    granted: LedgerRecord,
    job: Job,
    late: boolean,
  ) {
    this.entry = entry;
    this.late = late;
    this.#desk = desk;
    this.#policy = policy;
    this.#granted = granted;
    this.#job = job;
  }

  get id(): string {
    return idOf(this.#desk.namespace, this.#job.record);
  }
  get queue(): string {
    return queueOf(this.#desk.namespace, this.#job.queue);
  }
  get key(): string | undefined {
    return this.#job.body.key;
  }
  get payload(): unknown {
    return this.#job.body.payload;
  }
  get headers(): Readonly<Record<string, string>> {
    return this.#job.body.headers ?? NO_HEADERS;
  }
  get occurrence(): Work['occurrence'] {
    return this.#job.body.occurrence;
  }
  get number(): number {
    return (this.#job.body.starts ?? 0) + 1;
  }
  get failures(): number {
    return this.#job.body.failures ?? 0;
  }
  get nominalAt(): Instant {
    return nominalAt(this.#job);
  }
  get dueAt(): Instant {
    return this.#job.dueAt;
  }
  get timeoutMs(): number {
    return this.#policy.timeoutMs;
  }

  settle(record: LedgerRecord, outcome: Outcome, over: Ended): Step {
    const desk = this.#desk;
    const before = record === this.#granted ? this.#job : countInterruptions(readJob(record), record.interrupted);
    const after = settle(before, outcome, over, this.#policy, desk.random);
    const happenings = (): readonly Happening[] => told(before, after, outcome, over, desk.about(after));
    return desk.step(after, record, held(record), over.endedAt, happenings);
  }

  release(record: LedgerRecord, now: Instant, wakeAt: Instant): Step {
    const job = countInterruptions(readJob(record), record.interrupted);
    return this.#desk.step(job, record, held(record), now, NOTHING, wakeAt);
  }

  progress(record: LedgerRecord, value: unknown): Write {
    const { wish, wall, nominalAt: nominal } = this.#job.body; // as arrived: a wish that was granted then is not brought back
    const read = readJob(record);
    const current =
      record === this.#granted
        ? withBody({ ...read, dueAt: this.#job.dueAt }, { wish, wall, nominalAt: nominal })
        : read;
    const content = writeJob(withBody(current, { progress: value }), record.wakeAt, record.outbox);
    return { do: 'put', key: record.key, expect: held(record), keepLease: true, content };
  }

  wantsAbort(record: LedgerRecord): boolean {
    const wish = readJob(record).body.wish;
    return wish?.want === 'cancel' && wish.abort;
  }
}

/** What the holder of a record expects of it. */
export function held(record: LedgerRecord): Expectation {
  return { version: record.version, fence: record.fence };
}
