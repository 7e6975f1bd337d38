// Sweep: the safety net below everything: sends again what is overdue, because its message was lost or never sent.
//
// W1  Overdue is not lost: a sweep first moves the record's attention time by compare-and-set, with a doubling grace, so the
//     whole fleet sends one copy per round. It only ever adds a copy, so it can't double anything.
// W2  It is rate-limited, and a fused store, which sees its own messages, needs none.
// W3  Where nothing is overdue it asks for the next record only, and pauses until that becomes so: 5 s at least, and 20 s at
//     most, because others may write earlier ones meanwhile.

import type { Ledger, LedgerRecord } from '../ports/ledger.js';
import type { Kind, Step } from '../task/kind.js';
import type { Clock, Ids, Random, Timer } from '../time/clock.js';
import type { Instant } from '../time/instant.js';
import type { Availability } from './availability.js';
import type { Events } from './events.js';
import type { LedgerTime } from './ledger-time.js';
import type { Outbox } from './outbox.js';

/** What the sweep needs. */
export interface SweepParts {
  readonly ledger: Ledger;
  readonly queues: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
  readonly time: LedgerTime;
  readonly availability: Availability;
  readonly events: Events;
  readonly outbox: Outbox;
  readonly kinds: ReadonlyMap<string, Kind>;
}

const SHORTEST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 20_000;
const JITTER_MS = 2_500;
const MOST_PER_ROUND = 500;
const AT_ONCE = 32; // adapters gather what comes at the same time into one request
const MOST_PAGES = 20;

/** The sweep of one engine; every engine sweeps, without a leader. */
export class Sweep {
  readonly #parts: SweepParts;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(parts: SweepParts) {
    this.#parts = parts;
  }

  /** Sweeps from now on, with pauses (W3) and a jitter. */
  start(): void {
    this.#pause(SHORTEST_PAUSE_MS);
  }

  /** Ends it, and waits for a round in progress. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#running;
  }

  #pause(ms: number): void {
    const { clock, random, availability } = this.#parts;
    this.#timer = clock.after(ms + JITTER_MS * random.next(), () => {
      this.#running = this.#round()
        .catch((error: unknown) => {
          availability.report(error);
          return SHORTEST_PAUSE_MS;
        })
        .then((pauseMs) => {
          if (!this.#stopped) this.#pause(pauseMs);
        });
    });
  }

  /** One round; answers how long to pause after it. */
  async #round(): Promise<number> {
    const { events, availability, time } = this.#parts;
    if (availability.isDown) return SHORTEST_PAUSE_MS; // nothing could be sent
    await time.refresh();
    const pauseMs = await this.#untilNext();
    if (pauseMs > 0) return Math.max(SHORTEST_PAUSE_MS, pauseMs); // W3
    const records = await this.#overdue();
    let resent = 0;
    for (let first = 0; first < records.length && !this.#stopped; first += AT_ONCE) {
      const answers = await Promise.all(records.slice(first, first + AT_ONCE).map((record) => this.#resend(record)));
      resent += answers.filter(Boolean).length;
    }
    if (records.length > 0) events.emit('sweep:done', { examined: records.length, resent });
    return SHORTEST_PAUSE_MS;
  }

  /** How long nothing is overdue yet, as far ahead as the longest pause (W3). */
  async #untilNext(): Promise<number> {
    const { ledger, queues, time } = this.#parts;
    const before = time.now() + LONGEST_PAUSE_MS;
    const { records, cursor } = await ledger.due({ queues, before, limit: 1 });
    const [next] = records;
    if (next === undefined) return cursor === undefined ? LONGEST_PAUSE_MS : 0;
    return Math.max(next.wakeAt ?? 0, next.lease?.until ?? 0) - time.now();
  }

  /** Overdue records of the kinds that this engine knows; those of others must not hide them. */
  async #overdue(): Promise<readonly LedgerRecord[]> {
    const { ledger, queues, kinds, time } = this.#parts;
    const known: LedgerRecord[] = [];
    let cursor: string | undefined;
    for (let pages = 0; pages < MOST_PAGES && known.length < MOST_PER_ROUND; pages += 1) {
      const query = { queues, before: time.now(), limit: MOST_PER_ROUND, ...(cursor !== undefined && { cursor }) }; // W2
      const page = await ledger.due(query);
      known.push(...page.records.filter((record) => kinds.has(record.key.kind)));
      ({ cursor } = page);
      if (cursor === undefined) break;
    }
    return known;
  }

  async #resend(record: LedgerRecord): Promise<boolean> {
    const { ledger, kinds, ids, random, time, outbox } = this.#parts;
    const kind = kinds.get(record.key.kind);
    if (kind === undefined) return false;
    const step = this.#step(kind, record, time.now(), random.next());
    const [answer] = await ledger.commit([{ nonce: ids.nonce(), writes: step.writes, durable: true }]); // W1
    if (answer?.answer !== 'ok') return false;
    this.#parts.events.tell(step.happenings);
    return step.outbox.length > 0 && outbox.send(record.key, step.outbox);
  }

  /** The record's message once more; one that can't be read is set aside, so that it holds up nobody behind it. */
  #step(kind: Kind, record: LedgerRecord, now: Instant, jitter: number): Step {
    try {
      return kind.resend(record, now, jitter);
    } catch (error) {
      const reason = `unreadable: ${error instanceof Error ? error.message : String(error)}`;
      return kind.setAside(record, { version: record.version }, reason, now);
    }
  }
}
