// Serving: the part of an engine that takes deliveries and runs handlers; an engine that only schedules has none of it.
//
// N1  A stop takes nothing new, lets handlers finish, then tells them to stop, then gives back what is left. It ends within
//     its time.

import type { Carriage } from '../job/carriage.js';
import { queueName } from '../message/names.js';
import type { Kind } from '../task/kind.js';
import { Attempts } from './attempts.js';
import type { Availability } from './availability.js';
import { Commits } from './commits.js';
import { Deliveries } from './delivery.js';
import type { EngineParts } from './engine-parts.js';
import type { Events } from './events.js';
import { Heartbeat } from './heartbeat.js';
import { Intake } from './intake.js';
import { Landing, LANDING_MS } from './landing.js';
import type { LedgerTime } from './ledger-time.js';
import { Messages } from './message.js';
import type { Outbox } from './outbox.js';
import { Pauses } from './pauses.js';
import { Slots } from './slots.js';
import { Sweep } from './sweep.js';
import { within } from './within.js';

/** What serving shares with scheduling. */
export interface ServingParts extends EngineParts {
  readonly events: Events;
  readonly availability: Availability;
  readonly time: LedgerTime;
  readonly outbox: Outbox;
  readonly kinds: ReadonlyMap<string, Kind>;
  readonly carriage: () => Carriage;
  /** Queues as adapters see them. */
  readonly served: readonly string[];
}

const HELD_UNTIL_DUE = 1_000;
const GIVE_UP_MS = 2_000;

/** Takes deliveries and runs handlers. */
export class Serving {
  readonly pauses: Pauses;
  readonly #parts: ServingParts;
  readonly #slots: Slots;
  readonly #landing: Landing;
  readonly #heartbeat: Heartbeat;
  readonly #attempts: Attempts;
  readonly #intake: Intake;
  readonly #sweep: Sweep | undefined;
  #started = false;

  constructor(parts: ServingParts) {
    const { backend, clock, served, ids, namespace, availability, time, carriage } = parts;
    const { transport, ledger } = backend;
    const slots = new Slots(slotLimits(parts), clock);
    const pauses = new Pauses({ namespace, ledger, clock, ids, availability, onChange: () => slots.renew() });
    const heartbeat = new Heartbeat({ ...parts, ledger });
    const landing = new Landing({ clock, time, heartbeat, capacity: HELD_UNTIL_DUE });
    const attempts = new Attempts({ ...parts, ledger, commits: new Commits(ledger, availability), heartbeat });
    const deliveries = new Deliveries({ ...parts, ledger, slots, landing, heartbeat, pauses, attempts });
    const { limits } = transport;
    const messages = new Messages({
      ...parts,
      ledger,
      maxBytes: limits.maxBytes,
      landing,
      landingMs: () => Math.max(LANDING_MS, carriage().earlyMs + limits.precisionMs),
      deliveries,
    });
    this.pauses = pauses;
    this.#parts = parts;
    this.#slots = slots;
    this.#heartbeat = heartbeat;
    this.#landing = landing;
    this.#attempts = attempts;
    this.#intake = new Intake({ ...parts, transport, queues: served, slots, landing, pauses, messages, deliveries });
    this.#sweep = backend.fused === true ? undefined : new Sweep({ ...parts, ledger, queues: served });
  }

  /** Begins to take deliveries, once. */
  async start(): Promise<void> {
    if (this.#started) return;
    this.#started = true;
    await this.pauses.refresh();
    this.#sweep?.start();
    this.#intake.start();
  }

  /** Stops within `withinMs` and a little (N1), but not before `sent` resolves, if that is in time. */
  async stop(withinMs: number, sent: Promise<void>): Promise<void> {
    const { log, availability } = this.#parts;
    if (this.#started) {
      this.#slots.close();
      this.#landing.close();
      this.pauses.stop();
      const drained = Promise.all([this.#intake.stop(), this.#sweep?.stop()]).then(() => this.#intake.drained());
      await this.#drain(Promise.all([drained, sent]), withinMs);
    } else if (!(await within(this.#parts.clock, sent, withinMs))) {
      log.warn({}, 'stopped before all messages were sent; a sweep sends them');
    }
    availability.abandon();
    this.#heartbeat.stop();
  }

  async #drain(ended: Promise<unknown>, withinMs: number): Promise<void> {
    const { clock, log, availability } = this.#parts;
    if (await within(clock, ended, withinMs)) return;
    const { running } = this.#slots;
    log.warn({ running }, 'handlers are still running at the end of the stop; they are told to stop');
    this.#attempts.stopAll();
    if (await within(clock, ended, GIVE_UP_MS)) return;
    this.#attempts.giveUpAll();
    if (await within(clock, ended, GIVE_UP_MS)) return;
    availability.abandon();
    const { underway } = this.#intake;
    log.error({ underway }, 'stopped before the backend answered; leases end by themselves');
  }
}

function slotLimits({ concurrency, queues, catalog, namespace }: EngineParts): {
  engine: number;
  queues: Map<string, number>;
  tasks: Map<string, number>;
} {
  const tasks = new Map<string, number>();
  for (const [name, { options }] of catalog) if (options.concurrency !== Infinity) tasks.set(name, options.concurrency);
  return {
    engine: concurrency,
    queues: new Map([...queues].map(([queue, limit]) => [queueName(namespace, queue), limit])),
    tasks,
  };
}
