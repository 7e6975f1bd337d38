// Store: one folder, opened once per process however many handles there are, with everything that works on it.
//
// O1  The store opens with its first handle and closes, drained, with its last.
// O2  Upkeep (retention, dead processes, their readers) rides in batches that run anyway, and in the polls of those who
//     wait; it has no timer of its own.

import type { Clock, Instant } from '@carillon/core/spi';
import { Catalog } from './catalog.js';
import { Environment } from './environment.js';
import type { Table } from './environment.js';
import { FORMAT, markFolder, prepareFolder, refuseNewerFormat } from './folder.js';
import { GroupCommit, PHASE } from './group-commit.js';
import { Intake } from './intake.js';
import { Messages } from './messages.js';
import { Processes, endLeases } from './processes.js';
import { Records } from './records.js';
import { removeExpired } from './retention.js';
import { WaitingRoom } from './waiting-room.js';

const RETENTION_EVERY_MS = 1000;
const MOST_EXPIRED = 256; // per batch: more than a batch of a hundred jobs settles
const PROCESSES_EVERY_MS = 250;
const FORMAT_KEY = Buffer.from('format');

const stores = new Map<string, Store>();

/** An open store. */
export class Store {
  readonly folder: string;
  readonly environment: Environment;
  readonly catalog: Catalog;
  readonly records: Records;
  readonly messages: Messages;
  readonly intake: Intake;
  readonly processes: Processes;
  readonly waiting: WaitingRoom;
  readonly writer: GroupCommit;
  readonly #clock: Clock;
  #handles = 0;
  #closing: Promise<void> | undefined;
  #nextRetention = 0;
  #nextProcesses = 0;

  private constructor(folder: string, clock: Clock) {
    this.folder = folder;
    this.#clock = clock;
    this.environment = new Environment(folder);
    try {
      refuseNewerFormat(folder, readFormat(this.environment, this.environment.table('meta')));
    } catch (error) {
      void this.environment.close();
      throw error;
    }
    this.catalog = new Catalog(this.environment.table('catalog'));
    this.records = new Records(this.environment, this.catalog);
    this.messages = new Messages(this.environment, this.catalog);
    this.intake = new Intake(this.records, this.catalog);
    this.processes = new Processes(this.environment.table('processes'));
    this.waiting = new WaitingRoom({
      lastTransaction: () => this.environment.lastTransaction(),
      tick: () => this.#tick(),
    });
    this.writer = new GroupCommit({
      transact: (steps, durable) => this.#transact(steps, durable),
      committed: () => this.#tell(),
      soon: (wake) => clock.soon(wake),
    });
    this.catalog.refresh();
    markFolder(folder);
  }

  /** Opens a folder, or joins those who have it open. The first one's clock drives the batches. */
  static async enter(folder: string, clock: Clock): Promise<Store> {
    for (;;) {
      const path = prepareFolder(folder);
      const open = stores.get(path);
      if (open === undefined) {
        const store = new Store(path, clock);
        stores.set(path, store);
        store.#handles = 1;
        return store;
      }
      if (open.#closing === undefined) {
        open.#handles += 1;
        return open;
      }
      await open.#closing;
    }
  }

  /** Gives up one handle; with the last one the store closes. */
  async leave(): Promise<void> {
    this.#handles -= 1;
    this.waiting.wakeAll();
    if (this.#handles > 0) {
      await this.writer.drained();
      return;
    }
    this.#closing = this.#close();
    await this.#closing;
  }

  /** Sees what other processes have written, at least up to the transaction that it names: before waiting. */
  lookToWait(): number {
    const seen = this.environment.lastVisible(); // first: what is committed from here on may be seen or not (W1)
    this.look();
    return seen;
  }

  /** Sees what other processes have written: before reading outside of a batch. */
  look(): void {
    this.environment.refresh();
    this.catalog.refresh();
    this.records.refresh(this.#clock.now());
  }

  async #close(): Promise<void> {
    try {
      await this.writer.drained();
      await this.environment.close();
    } finally {
      stores.delete(this.folder);
    }
  }

  #transact(steps: () => void, durable: boolean): void {
    try {
      this.environment.transact(() => {
        const now = this.#clock.now();
        this.catalog.refresh();
        this.records.refresh(now);
        this.records.bringForward(now);
        steps();
        this.#removeExpired(now);
      }, durable);
      this.catalog.keep();
    } catch (error) {
      this.records.takeWoken(() => {}); // nobody is to be woken for what did not happen
      this.messages.takeWoken(() => {});
      this.processes.forget();
      this.catalog.forget();
      throw error;
    }
  }

  #tell(): void {
    const tell = (queue: number, at: Instant): void => this.waiting.notice(queue, at);
    this.records.takeWoken(tell);
    this.messages.takeWoken(tell);
    this.#endDead();
  }

  #removeExpired(now: Instant): void {
    if (now < this.#nextRetention) return;
    const removed = removeExpired(this.records, this.catalog, now, MOST_EXPIRED);
    this.#nextRetention = removed === MOST_EXPIRED ? now : now + RETENTION_EVERY_MS;
  }

  /** Runs at each poll of those who wait. */
  #tick(): void {
    const now = this.#clock.now();
    const swallow = (): void => {}; // an upkeep that failed is tried again, and the next commit tells its caller why
    if (now >= this.#nextRetention && !this.writer.busy) {
      this.writer.request(PHASE.upkeep, 1, false, () => {}).catch(swallow);
    }
    this.#endDead();
  }

  /** Ends the leases of processes that have died: looked for four times a second, by those who wait and those who write. */
  #endDead(): void {
    const swallow = (): void => {}; // it is tried again at the next look
    const mono = performance.now();
    if (mono < this.#nextProcesses) return;
    this.#nextProcesses = mono + PROCESSES_EVERY_MS;
    this.look();
    const dead = this.processes.dead();
    if (dead.length === 0) return;
    this.environment.clearReaders();
    const end = (): void => {
      const now = this.#clock.now();
      const jobsDone = endLeases(this.records, dead, now);
      const messagesDone = this.messages.endLeases(dead, now);
      if (jobsDone && messagesDone) this.processes.remove(dead);
    };
    this.writer.request(PHASE.upkeep, 1, false, end).catch(swallow);
  }
}

function readFormat(environment: Environment, meta: Table): number {
  const stored = meta.getBinary(FORMAT_KEY);
  if (stored) return Number(stored.toString());
  environment.transact(() => {
    meta.put(FORMAT_KEY, Buffer.from(String(FORMAT)));
  }, true);
  return FORMAT;
}
