// Pauses: which queues and tasks are paused, for every engine of the namespace.
//
// Z1  A pause is a record, so it survives restarts; engines notice within a second.
// Z2  Who has nothing to do asks nothing: pauses are read again when deliveries come, and by a timer only while one is known.

import { pauseRecord } from '../message/names.js';
import type { Ledger, RecordContent } from '../ports/ledger.js';
import type { Clock, Ids, Timer } from '../time/clock.js';
import type { Availability } from './availability.js';

/** What can be paused. */
export interface PauseTarget {
  readonly what: 'queue' | 'task';
  readonly name: string;
}

/** What the pauses need. */
export interface PausesParts {
  readonly namespace: string;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly availability: Availability;
  /** Something was paused or resumed. */
  readonly onChange: () => void;
}

const REFRESH_MS = 1_000;
const FOR_EVER: RecordContent = {
  generation: 0,
  queue: '',
  task: '',
  state: 'paused',
  dueAt: 0,
  wakeAt: undefined,
  expiresAt: undefined,
  durableGrant: false,
  body: '{}',
  outbox: [],
};

/** The pauses that this engine knows of. */
export class Pauses {
  readonly #parts: PausesParts;
  #paused = new Set<string>();
  #waiting: (() => void)[] = [];
  #timer: Timer | undefined;
  #readAt = -Infinity;
  #closed = false;

  constructor(parts: PausesParts) {
    this.#parts = parts;
  }

  /** Whether a queue is paused. */
  queue(name: string): boolean {
    return this.#paused.has(`queue/${name}`);
  }

  /** Everything that is paused, queues as adapters see them. */
  get all(): { readonly queues: readonly string[]; readonly tasks: readonly string[] } {
    const of = (what: string): string[] =>
      [...this.#paused].filter((name) => name.startsWith(what)).map((name) => name.slice(what.length));
    return { queues: of('queue/'), tasks: of('task/') };
  }

  /** The room of tasks, with none for those that are paused. */
  room(room: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
    const { tasks } = this.all;
    return tasks.length === 0 ? room : new Map([...room, ...tasks.map((task) => [task, 0] as const)]);
  }

  /** Whether a job of this queue and task must wait. */
  holds(queue: string, task: string): boolean {
    return this.#paused.size > 0 && (this.queue(queue) || this.#paused.has(`task/${task}`));
  }

  /** Resolves when something was paused or resumed, or when the engine stops. */
  changed(): Promise<void> {
    return this.#closed ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Pauses a queue or a task; pausing it again is harmless. */
  async pause(target: PauseTarget): Promise<void> {
    const { ledger, ids, namespace } = this.#parts;
    const key = pauseRecord(namespace, target.what, target.name);
    await ledger.commit([
      { nonce: ids.nonce(), writes: [{ do: 'put', key, expect: { absent: true }, content: FOR_EVER }], durable: true },
    ]);
    await this.refresh();
  }

  /** Resumes it; resuming what is not paused is harmless. */
  async resume(target: PauseTarget): Promise<void> {
    const { ledger, ids, namespace } = this.#parts;
    const key = pauseRecord(namespace, target.what, target.name);
    await ledger.commit([
      { nonce: ids.nonce(), writes: [{ do: 'remove', key, expect: { any: true } }], durable: true },
    ]);
    await this.refresh();
  }

  /** Reads the pauses once. */
  async refresh(): Promise<void> {
    const { namespace, ledger } = this.#parts;
    const prefix = pauseRecord(namespace, 'queue', '').id.slice(0, -'queue/'.length);
    const paused = new Set<string>();
    let cursor: string | undefined;
    do {
      const page = await ledger.list({
        kind: 'pause',
        idPrefix: prefix,
        limit: 100,
        ...(cursor !== undefined && { cursor }),
      });
      for (const record of page.records) paused.add(record.key.id.slice(prefix.length));
      cursor = page.cursor;
    } while (cursor !== undefined);

    this.#readAt = this.#parts.clock.monotonic();
    this.#watch(paused.size > 0);

    const same = paused.size === this.#paused.size && [...paused].every((name) => this.#paused.has(name));
    this.#paused = paused;
    if (same) return;
    this.#wake();
    this.#parts.onChange();
  }

  /** Reads them again if that was not done in the last second. */
  async fresh(): Promise<void> {
    if (this.#parts.clock.monotonic() - this.#readAt < REFRESH_MS) return;
    try {
      await this.refresh();
    } catch (error) {
      this.#parts.availability.report(error);
    }
  }

  /** Ends every wait. */
  stop(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#wake();
  }

  /** While something is paused, looks every second whether it has been resumed. */
  #watch(needed: boolean): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (needed && !this.#closed) this.#timer = this.#parts.clock.after(REFRESH_MS, () => void this.#look());
  }

  async #look(): Promise<void> {
    this.#timer = undefined;
    await this.#parts.availability.whenUp();
    await this.fresh();
    if (this.#timer === undefined) this.#watch(this.#paused.size > 0); // it could not be read
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }
}
