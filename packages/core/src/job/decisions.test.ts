// The decisions about jobs together, on records of a tiny store that follows the ledger port: any order of calls,
// deliveries, outcomes and crashes, with some writes decided on what was read a while ago.

import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { pointerRecord } from '../message/names.js';
import type { Grant, LedgerRecord, RecordKey, Write } from '../ports/ledger.js';
import { catalogOf } from '../task/catalog.js';
import type { Outcome, Work } from '../task/kind.js';
import { resolveTask } from '../task/options.js';
import { implement } from '../task/definition.js';
import { defineTask, type OnExisting } from '../task/task.js';
import { cancel, redrive, reschedule } from './amend.js';
import { STRANGER } from './arrive.js';
import { candidate } from './candidate.js';
import type { Carriage } from './carriage.js';
import { type Job, type JobState, readJob, SET_ASIDE } from './job.js';
import { jobKind } from './job-kind.js';
import { NOTHING_STANDS, place, type Standing } from './place.js';

const START = Date.parse('2027-01-15T12:00:00.000Z');
const LEASE_MS = 30_000;
const TASKS = [
  defineTask<unknown>('often', { attempts: 3, interruptions: 3, maxLateness: { of: '10m', then: 'skip' } }),
  defineTask<unknown>('once', { attempts: 'never-again' }),
];
const CATALOG = catalogOf(TASKS.map((task) => implement(task, () => undefined)));
const KEYS = ['a', 'b'];
const HALF = { next: () => 0.5 };

interface Attempting {
  readonly grant: Grant;
  readonly work: Work;
}

/** The store, and what has happened to each job so far. */
class World {
  readonly carriage: Carriage;
  readonly records = new Map<string, LedgerRecord>();
  readonly jobs: RecordKey[] = [];
  readonly running: Attempting[] = [];
  /** Writes that somebody has decided on and not committed yet. */
  readonly late: (() => void)[] = [];
  readonly starts = new Map<string, number>();
  readonly granted = new Map<string, number>();
  readonly done = new Map<string, number>();
  now = START;
  #minted = 0;

  constructor(fused: boolean) {
    this.carriage = { fused, horizonMs: fused ? Infinity : 60_000, earlyMs: 0 };
  }

  kind(knowing = true): ReturnType<typeof jobKind> {
    const catalog = knowing ? CATALOG : new Map();
    return jobKind({ namespace: '', catalog, carriage: () => this.carriage, random: HALF });
  }
  read(key: RecordKey): LedgerRecord | undefined {
    return this.records.get(`${key.kind} ${key.id}`);
  }
  /** The job placed last, or one before it. */
  job(index: number): LedgerRecord | undefined {
    const key = this.jobs.at(-1 - (index % Math.max(1, this.jobs.length)));
    return key && this.read(key);
  }

  /** A change as the port says: all or nothing. Checks what no write of the engine may do, whoever decided it. */
  commit(writes: readonly Write[], redriving = false): 'ok' | 'lost' | 'conflict' {
    for (const write of writes) {
      if (write.do === 'sent' || 'any' in write.expect) continue;
      const record = this.read(write.key);
      if ('absent' in write.expect) {
        if (record !== undefined) return 'conflict';
        continue;
      }
      if ('fence' in write.expect && record?.fence !== write.expect.fence) return 'lost';
      if (record?.version !== write.expect.version) return 'conflict';
    }
    for (const write of writes) {
      if (write.do !== 'put') continue;
      const old = this.read(write.key);
      const resolved = 'fence' in write.expect && write.keepLease !== true;
      const fresh: LedgerRecord = {
        ...write.content,
        key: write.key,
        version: (old?.version ?? 0) + 1,
        fence: old?.fence ?? 0,
        lease: resolved ? undefined : old?.lease,
        interrupted: resolved || old === undefined ? [] : old.interrupted,
      };
      if (write.key.kind === 'job' && old === undefined) this.jobs.push(write.key);
      if (write.key.kind === 'job' && old !== undefined) this.#check(old, fresh, redriving);
      this.records.set(`${write.key.kind} ${write.key.id}`, fresh);
    }
    this.#checkKeys();
    return 'ok';
  }

  #check(old: LedgerRecord, fresh: LedgerRecord, redriving: boolean): void {
    const [before, after] = [readJob(old), readJob(fresh)];
    expect(fresh.generation).toBeGreaterThanOrEqual(old.generation); // I4
    expect(fresh.wakeAt === undefined).toBe(after.state !== 'scheduled');
    if (before.state === 'done') expect(after.state).toBe('done'); // I2
    if (before.state !== 'scheduled' && !redriving) expect(after.state).not.toBe('scheduled'); // I10
    if (after.state === 'scheduled') expect(fresh.expiresAt).toBeUndefined();
    else expect(after.body.settledAt).toBeDefined();

    const { wish } = before.body;
    // A worker's write; of two edits by others, the later one counts.
    if (old.lease !== undefined && wish !== undefined && after.body.wish === undefined && after.state === 'scheduled') {
      expect(wish.want).toBe('reschedule'); // a wish is granted, or overtaken by an end, never forgotten
      const at = wish.want === 'reschedule' && 'at' in wish.due ? wish.due.at : Infinity;
      if (!(old.lease && at <= old.lease.since)) expect(after.dueAt).toBe(at); // else this attempt began at its time
    }
    if (!redriving) this.#checkCounts(before, after);
  }

  /** Every start is a failure, an interruption, a snooze or the success. */
  #checkCounts({ body: before }: Job, { body: after }: Job): void {
    const begun = (after.starts ?? 0) - (before.starts ?? 0);
    const fresh = (after.attempts ?? []).filter(({ number }) => number > (before.starts ?? 0));
    const quiet = fresh.filter(({ outcome }) => outcome === 'snoozed' || outcome === 'done').length;
    const failures = (after.failures ?? 0) - (before.failures ?? 0);
    const interruptions = (after.interruptions ?? 0) - (before.interruptions ?? 0);
    expect(begun).toBe(fresh.length);
    expect(begun).toBe(failures + interruptions + quiet);
    expect(failures).toBeGreaterThanOrEqual(0);
    expect(interruptions).toBeGreaterThanOrEqual(0);
  }

  /** B3 of place.ts, R1 of pointer.ts: one open job per key at most, and the key leads to it. */
  #checkKeys(): void {
    const open = this.jobs.map((key) => readJob(this.read(key)!)).filter(({ state }) => state === 'scheduled');
    for (const task of TASKS) {
      for (const key of KEYS) {
        const under = open.filter((job) => job.task === task.name && job.body.key === key && !job.body.unkeyed);
        expect(under.length).toBeLessThanOrEqual(1);
        if (under[0]) expect(this.read(pointerRecord('', task.name, key))?.body).toBe(under[0].record.id);
      }
    }
  }

  schedule(task: number, key: string | undefined, inMs: number, onExisting: OnExisting, late: boolean): void {
    const options = resolveTask(TASKS[task]!);
    const mint = (): string => `job${(this.#minted += 1)}`;
    const context = { namespace: '', maxBytes: 1_000, now: this.now, mint };
    const fields = { in: { milliseconds: inMs }, ...(key !== undefined && { key, onExisting }) };
    const placement = candidate(options, { n: 1 }, fields, context);
    const pointer = key === undefined ? undefined : this.read(pointerRecord('', options.name, key));
    const held = pointer && this.read({ kind: 'job', id: pointer.body, partition: pointer.key.partition });
    const standing: Standing = key === undefined ? NOTHING_STANDS : { pointer, held };
    const { writes, answer } = place(placement, standing, this.now, this.carriage);
    this.#soon(late, () => {
      if (this.commit(writes) !== 'ok') return;
      const replaced = held && answer.replaced && readJob(held);
      if (answer.outcome === 'replaced') expect(this.granted.get(held!.key.id) ?? 0).toBe(answer.replaced!.attempts); // E3 of amend.ts
      if (replaced) expect(readJob(this.read(held.key)!).body.unkeyed).toBe(true);
    });
  }

  amend(record: LedgerRecord, what: number, inMs: number, late: boolean): void {
    const { now } = this;
    const due = { at: now + inMs };
    const wish = { want: 'cancel', abort: false, reason: 'cancelled' } as const;
    const amendment = [
      () => cancel('', record, wish, now, STRANGER),
      () => reschedule('', record, due, now, STRANGER, this.carriage),
      () => redrive(record, due, now, this.carriage),
    ][what]!();
    const redriving = what === 2;
    this.#soon(late, () => {
      const before = this.read(record.key)!;
      if (amendment.writes.length === 0 || this.commit(amendment.writes, redriving) !== 'ok') return;
      if (redriving) {
        expect(SET_ASIDE).toContain(before.state);
        this.starts.delete(record.key.id);
        return;
      }
      expect(amendment.attempts).toBe(this.granted.get(record.key.id) ?? 0); // E3 of amend.ts
      expect(amendment.answer).toBe(before.lease === undefined ? 'done' : 'running');
    });
  }

  /** A worker acquires a record, as the port says, and does what its arrival says. */
  deliver(record: LedgerRecord, knowing: boolean, paused: boolean): void {
    const { now } = this;
    if (record.wakeAt === undefined || record.dueAt > now) return;
    if (record.lease !== undefined && record.lease.until > now) return;
    const lease = { holder: 'w', nonce: `${record.version}`, since: now, until: now + LEASE_MS };
    const fence = Math.max(record.fence + 1, now * 1000);
    const interrupted = record.lease ? [...record.interrupted, record.lease] : record.interrupted;
    const granted = { ...record, version: record.version + 1, fence, lease, interrupted };
    this.records.set(`job ${record.key.id}`, granted);

    const arrived = this.kind(knowing).arrive(granted, now, paused);
    if (arrived.to === 'write') {
      expect(this.commit(arrived.step.writes)).toBe('ok');
      return;
    }
    expect(arrived.work.dueAt).toBeLessThanOrEqual(now); // I5
    const starts = (this.starts.get(record.key.id) ?? 0) + 1;
    if (record.task === 'once') expect(starts).toBe(1);
    this.starts.set(record.key.id, starts);
    this.granted.set(record.key.id, (this.granted.get(record.key.id) ?? 0) + 1);
    this.running.push({ grant: { record: granted, fence, at: now }, work: arrived.work });
  }

  /** An attempt ends and its worker commits, also after its lease's end. */
  finish(index: number, outcome: Outcome): void {
    const [attempt] = this.running.splice(index % Math.max(1, this.running.length), 1);
    if (attempt === undefined) return;
    const { grant, work } = attempt;
    const over = { worker: 'w', startedAt: grant.at, endedAt: this.now };
    for (let record = grant.record; ;) {
      const answer = this.commit(work.settle(record, outcome, over).writes);
      const stands = this.read(grant.record.key)!;
      if (answer === 'conflict' && stands.fence === grant.fence) {
        record = stands;
        continue;
      }
      if (answer === 'lost') return;
      if (outcome.outcome === 'snoozed') this.starts.delete(record.key.id); // its handler asked for more
      if (outcome.outcome === 'done') this.done.set(record.key.id, (this.done.get(record.key.id) ?? 0) + 1);
      expect(this.done.get(record.key.id) ?? 0).toBeLessThanOrEqual(1); // I2
      return;
    }
  }

  /** What the sweep and the outbox do to a record, by its version. */
  disturb(record: LedgerRecord, refuse: boolean, late: boolean): void {
    if (record.wakeAt === undefined) return;
    const kind = this.kind();
    const { writes } = refuse
      ? kind.setAside(record, { version: record.version }, 'refused', this.now)
      : kind.resend(record, this.now, 0.5);
    this.#soon(late, () => this.commit(writes));
  }

  progress(index: number): void {
    const { grant, work } = this.running[index % Math.max(1, this.running.length)] ?? {};
    if (!grant || !work) return;
    const stands = this.read(grant.record.key)!;
    if (stands.fence === grant.fence && stands.lease) this.commit([work.progress(stands, index)]);
  }

  #soon(late: boolean, commit: () => void): void {
    if (late) this.late.push(commit);
    else commit();
  }
}

const ms = fc.constantFrom(0, 1_000, 20_000, 90_000, 3_600_000);
const index = fc.nat({ max: 3 });
const error = new Error('x');
const outcomes = fc.constantFrom<Outcome>(
  { outcome: 'done', result: 1 },
  { outcome: 'failed', error, verdict: 'retry' },
  { outcome: 'failed', error, verdict: 'dead' },
  { outcome: 'timed-out', error, ended: false },
  { outcome: 'snoozed', forMs: 5_000 },
  { outcome: 'interrupted' },
);
type Command = (world: World) => void;
const withJob =
  (at: number, then: (world: World, record: LedgerRecord) => void): Command =>
  (world) => {
    const record = world.job(at);
    if (record !== undefined) then(world, record);
  };

const commands: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .tuple(
        fc.nat({ max: 1 }),
        fc.constantFrom(undefined, ...KEYS),
        ms,
        fc.constantFrom<OnExisting>('keep', 'replace', 'throttle'),
        fc.boolean(),
      )
      .map(
        (call): Command =>
          (world) =>
            world.schedule(...call),
      ),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(index, fc.nat({ max: 2 }), ms, fc.boolean())
      .map(([at, ...rest]) => withJob(at, (world, record) => world.amend(record, ...rest))),
  },
  {
    weight: 6,
    arbitrary: fc
      .tuple(index, fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 9 }))
      .map(([at, known, paused]) => withJob(at, (world, record) => world.deliver(record, known > 0, paused === 0))),
  },
  {
    weight: 5,
    arbitrary: fc.tuple(index, outcomes).map(
      ([at, outcome]): Command =>
        (world) =>
          world.finish(at, outcome),
    ),
  },
  {
    weight: 3,
    arbitrary: ms.map(
      (passed): Command =>
        (world) =>
          void (world.now += passed),
    ),
  },
  { weight: 3, arbitrary: fc.constant<Command>((world) => world.late.shift()?.()) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(index, fc.boolean(), fc.boolean())
      .map(([at, refuse, late]) => withJob(at, (world, record) => world.disturb(record, refuse, late))),
  },
  {
    weight: 1,
    arbitrary: index.map(
      (at): Command =>
        (world) =>
          world.progress(at),
    ),
  },
  {
    weight: 1,
    arbitrary: index.map(
      (at): Command =>
        (world) =>
          void world.running.splice(at, 1),
    ),
  }, // a crash
);

test.each([
  ['on a broker', false],
  ['on a store that is both ports', true],
])('any order of decisions, %s', (_name, fused) => {
  const reached = new Map<JobState, number>();
  fc.assert(
    fc.property(fc.array(commands, { minLength: 20, maxLength: 80 }), (run) => {
      const world = new World(fused);
      for (const command of run) command(world);
      for (const key of world.jobs) {
        const { state } = readJob(world.read(key)!);
        reached.set(state, (reached.get(state) ?? 0) + 1);
      }
    }),
    { numRuns: 400 },
  );
  expect([...reached.keys()].toSorted()).toEqual([
    'cancelled',
    'dead',
    'done',
    'indeterminate',
    'scheduled',
    'skipped',
  ]);
});
