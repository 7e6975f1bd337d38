// Scene: a fresh store, the processes that work on it, and what a test finds out about them. Nothing of it is left behind.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Carillon, type JobView, type ScheduleOptions, silentLogger } from '@carillon/core';
import { systemClock } from '@carillon/core/spi';
import { embeddedTransport } from '@carillon/embedded';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { Child } from './child.js';
import type { Fault } from './crash-point.js';
import { entries, type Entry } from './journal.js';
import type { ProducerSetting } from './producer-process.js';
import { backendOf, ledgerOf, messagesOf, type Place, type Servers, type Store } from './store.js';
import { type Policy, tasks } from './tasks.js';
import type { WorkerSetting } from './worker-process.js';

const YEAR_MS = 365 * 86_400_000;

/** One test's store and processes. */
export class Scene implements AsyncDisposable {
  /** Sees the store without taking part in the work. */
  readonly carillon: Carillon;
  readonly #place: Place;
  readonly #folder = mkdtempSync(join(tmpdir(), 'carillon-crash-'));
  readonly #children: Child[] = [];

  constructor(store: Store, servers: Servers = {}) {
    this.#place = { store, folder: join(this.#folder, 'store'), ...servers };
    this.carillon = new Carillon({ backend: backendOf(this.#place), logger: silentLogger });
  }

  /** Starts a worker. */
  worker(more: { readonly lease: WorkerSetting['lease']; readonly fault?: Fault | undefined }): Child {
    const setting: WorkerSetting = {
      name: `worker-${this.#children.length + 1}`,
      place: this.#place,
      lease: more.lease,
      journal: this.#journal,
      gate: this.#gate,
      ...(more.fault && { fault: more.fault }),
    };
    return this.#start(new Child('worker-process.js', setting));
  }

  /** Starts a producer. */
  producer(policy: Policy, options: ScheduleOptions, fault?: Fault): Child {
    const setting = { place: this.#place, policy, options, ...(fault && { fault }) };
    return this.#start(new Child('producer-process.js', setting satisfies ProducerSetting));
  }

  /** Lets a worker go on that stands still; says in which state the system saw it until then. */
  resume(worker: Child): string {
    const stat = readFileSync(`/proc/${worker.pid}/stat`, 'utf8');
    writeFileSync(this.#gate, '');
    worker.signal('SIGCONT');
    return stat.slice(stat.lastIndexOf(')') + 2)[0] ?? '';
  }

  /** The job once it is settled. */
  settled(policy: Policy, id: string): Promise<JobView> {
    return this.carillon.result(tasks[policy], { id }, { within: '20s' });
  }

  /** What handlers did, oldest first. */
  journal(): readonly Entry[] {
    return entries(this.#journal);
  }

  /** Resolves when so much time has passed by the clock that leases are judged by. */
  async passes(ms: number): Promise<void> {
    const ledger = ledgerOf(this.#place);
    await ledger.open();
    const until = (await ledger.now()) + ms;
    while ((await ledger.now()) < until) await setTimeout(50);
    await ledger.close();
  }

  /** How many effects of a job are where its policy keeps them; `undefined` if that is the journal. */
  async effects(policy: Policy, idempotencyKey: string): Promise<number | undefined> {
    if (policy === 'committed') return this.#committed(idempotencyKey);
    if (policy !== 'transactional') return undefined;
    const client = new Client({ connectionString: this.#place.postgres });
    await client.connect();
    const { rowCount } = await client.query('SELECT FROM effect WHERE execution_key = $1', [idempotencyKey]);
    await client.end();
    return rowCount ?? 0;
  }

  /** How many records and messages would still want attention, at any time to come. No worker may be running. */
  async leftovers(): Promise<number> {
    const ledger = ledgerOf(this.#place);
    await ledger.open();
    const { records } = await ledger.due({ queues: ['default'], before: Date.now() + YEAR_MS, limit: 1000 });
    await ledger.close();
    return records.length + (this.#place.store === 'fused' ? 0 : await this.#messages());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#children.map((child) => child.kill()));
    await this.carillon.stop();
    rmSync(this.#folder, { recursive: true });
  }

  async #committed(idempotencyKey: string): Promise<number> {
    const client = new Redis(this.#place.redis!.url);
    const count = await client.get(`effect:${idempotencyKey}`);
    client.disconnect();
    return Number(count);
  }

  /** How many messages there are: what comes in a year's time beside one that certainly does. */
  async #messages(): Promise<number> {
    const clock = { ...systemClock, now: () => Date.now() + YEAR_MS };
    const transport = embeddedTransport(messagesOf(this.#place), { clock });
    await transport.send([{ id: 'the last', queue: 'default', body: new Uint8Array(), deliverAt: 0 }]);
    const { signal } = new AbortController();
    const request = { queue: 'default', max: 1000, leaseMs: 1000, holder: 'the test', signal };
    const deliveries = await transport.receive(request);
    await transport.close();
    return deliveries.length - 1;
  }

  #start(child: Child): Child {
    this.#children.push(child);
    return child;
  }

  get #journal(): string {
    return join(this.#folder, 'journal');
  }
  get #gate(): string {
    return join(this.#folder, 'gate');
  }
}
