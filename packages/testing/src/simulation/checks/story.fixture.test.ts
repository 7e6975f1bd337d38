// Story: a run that a test makes up, step by step, on real servers and without an engine, so that a monitor sees exactly
// what the test wants it to.

import type { LedgerRecord, OutgoingMessage } from '@carillon/core/spi';
import { grantTo } from '../../memory/claim.js';
import type { Happened } from '../observation.js';
import { Chance, streamOf } from '../plan/faults.js';
import { planOf, type PlanChoices } from '../plan/plan.js';
import { Servers } from '../world/servers.js';
import { World } from '../world/world.js';
import { Audience } from './audience.js';
import { Grants } from './grants.js';
import type { MonitorMaker } from './monitor.js';
import { Room } from './room.js';

/** When every story begins. */
export const T0 = Date.UTC(2026, 0, 1);

/** What a step may say of a record beside what follows from the step. */
export type Fields = Partial<Omit<LedgerRecord, 'key' | 'body'>> & { readonly body?: object };

/** What a step may say of an attempt; `error` is what it returned or threw, a ruling too. */
interface AttemptFields {
  readonly fence?: number;
  readonly host?: string;
  readonly dueAt?: number;
  readonly error?: unknown;
}

/** A made-up run under the eyes of one monitor. */
export class Story {
  readonly servers: Servers;
  /** What the monitor has found: invariant and text. */
  readonly found: string[] = [];
  /** How many jobs it has excused for want of room. */
  excused = 0;
  readonly #world = new World(T0, streamOf(1, 'world'));
  readonly #audience = new Audience();
  readonly #atEnd: () => void;
  #calls = 0;

  constructor(maker: MonitorMaker, choices: PlanChoices = {}) {
    const plan = planOf(1, { shape: 'apart', precisionMs: 0, horizonMs: Infinity, faults: {}, ...choices });
    const tell = this.tell.bind(this);
    this.servers = new Servers({ plan, world: this.#world, chance: new Chance(1, {}), tell });
    const grants = new Grants();
    const room = new Room();
    this.#audience.add((observation) => grants.watch(observation));
    this.#audience.add((observation) => room.watch(observation));
    const monitor = maker({
      plan,
      servers: this.servers,
      now: () => this.#world.now,
      grants,
      room,
      excuse: () => (this.excused += 1),
      violate: (invariant, _about, text) => void this.found.push(`${invariant}: ${text}`),
    });
    if (monitor.watch !== undefined) this.#audience.add(monitor.watch, monitor.hears);
    this.#atEnd = () => monitor.atEnd?.();
  }

  get now(): number {
    return this.#world.now;
  }

  /** Lets the monitor see something. */
  tell(happened: Happened): void {
    this.#audience.tell({ ...happened, at: this.#world.now });
  }

  /** Lets time pass. */
  async pass(ms: number): Promise<void> {
    await this.#world.runUntil(this.#world.now + ms);
  }

  /** Ends the run; answers with all that was found. */
  end(): readonly string[] {
    this.#atEnd();
    return this.found;
  }

  /** A job's record as it stands. */
  record(id: string): LedgerRecord | undefined {
    return this.servers.ledger.records.get(keyOf(id))?.record;
  }

  /** Writes a job's record; what is not said stays as it was. */
  write(id: string, fields: Fields = {}, host = 'engine-1'): LedgerRecord {
    const before = this.record(id);
    const settled = (fields.state ?? before?.state ?? 'scheduled') !== 'scheduled';
    const { body, ...rest } = fields;
    const record: LedgerRecord = {
      generation: this.now * 1000,
      queue: 'default',
      task: 'mail',
      state: 'scheduled',
      dueAt: this.now,
      expiresAt: settled ? this.now + 30 * 86_400_000 : undefined,
      durableGrant: false,
      body: '{"payload":null}',
      outbox: [],
      key: keyOf(id),
      fence: 0,
      lease: undefined,
      interrupted: [],
      ...before,
      ...(settled && before && { expiresAt: this.now + 30 * 86_400_000 }),
      wakeAt: settled ? undefined : (before?.wakeAt ?? this.now),
      version: (before?.version ?? 0) + 1,
      ...rest,
      ...(body && { body: JSON.stringify({ payload: null, ...body }) }),
    };
    return this.#put(record, host);
  }

  /** Grants a job to a host. */
  grant(id: string, host = 'engine-1'): LedgerRecord {
    const by = { holder: `${host}.1`, nonce: `grant-${this.now}`, leaseMs: 30_000 };
    return this.#put(grantTo(this.record(id)!, by, this.now).record, host);
  }

  /** Writes as the holder of a job does, which ends its lease. */
  settle(id: string, fields: Fields, host = 'engine-1'): LedgerRecord {
    return this.write(id, { lease: undefined, interrupted: [], ...fields }, host);
  }

  /** The attempt of the latest grant (or of another fence) starts, returns or throws. */
  attempt(
    id: string,
    moment: 'started' | 'returned' | 'threw',
    {
      fence = -1,
      host = 'engine-1',
      dueAt = T0,
      error = moment === 'threw' ? new Error('no') : undefined,
    }: AttemptFields = {},
  ): void {
    const record = this.record(id);
    const attempt = {
      jobId: id,
      task: 'mail',
      number: 1,
      fence: fence < 0 ? record!.fence : fence,
      dueAt: dueAt === T0 ? (record?.dueAt ?? T0) : dueAt,
      nominalAt: record?.dueAt ?? T0,
      payload: null,
    };
    if (moment === 'started') this.tell({ what: 'attempt', host, moment, attempt });
    else this.tell({ what: 'attempt', host, moment, attempt, error });
  }

  /** A job's whole way to done. */
  complete(id: string): void {
    this.grant(id);
    this.attempt(id, 'started');
    this.attempt(id, 'returned');
    this.settle(id, { state: 'done', body: { starts: 1 } });
  }

  /** Something happens to a message at the broker; `stored` really stores it. */
  message(
    change: 'stored' | 'lost' | 'delivered' | 'acked' | 'released',
    message: OutgoingMessage,
    host = 'engine-1',
  ): void {
    if (change === 'stored') this.servers.broker.send(host, message);
    else this.tell({ what: 'message', change, message, host });
  }

  /** The ledger forgets what was last written of a job, or all of it. */
  forget(id: string): void {
    const before = this.record(id);
    this.tell({ what: 'forgotten', host: undefined, key: keyOf(id), before, after: undefined });
  }

  /** Business code makes a call and is answered. */
  call(
    call: 'schedule' | 'cancel' | 'reschedule' | 'redrive',
    about: { readonly id?: string; readonly key?: string; readonly options?: Record<string, unknown>; tries?: number },
    answer: { readonly outcome: string; readonly id?: string },
    meanwhile: () => void = () => {},
  ): void {
    this.#calls += 1;
    const { id, key, options = {}, tries = 1 } = about;
    const made = { call, number: this.#calls, task: 'mail', id, key, options };
    this.tell({ what: 'call', host: 'shop', call: made });
    meanwhile();
    this.tell({ what: 'answer', host: 'shop', call: made, answer, failed: false, tries });
  }

  #put(record: LedgerRecord, host: string): LedgerRecord {
    this.servers.ledger.serve(host, () => this.servers.ledger.records.put({ record, nonce: '' }));
    return record;
  }
}

/** The key of a job's record. */
export function keyOf(id: string): LedgerRecord['key'] {
  return { kind: 'job', id, partition: '00' };
}

/** A message of a job. */
export function messageOf(
  record: LedgerRecord,
  { number = 1, hop = 0, deliverAt = record.dueAt, onClaim = false } = {},
): OutgoingMessage {
  const { id, kind, partition } = record.key;
  const identity = { k: kind, i: id, p: partition, g: record.generation, t: record.task, d: record.dueAt, h: hop };
  const wire = { v: 1, r: 1, ...identity, ...(onClaim && { b: { payload: null } }) };
  return {
    id: `${id}#${number}`,
    queue: record.queue,
    deliverAt,
    body: new TextEncoder().encode(JSON.stringify(wire)),
  };
}

/** An outbox entry with a message of a job in it. */
export function promised(message: OutgoingMessage): LedgerRecord['outbox'][number] {
  return { message, wakeAt: message.deliverAt + 15_000 };
}
