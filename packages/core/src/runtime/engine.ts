// Engine: one Carillon's runtime: opens the backend, knows the ledger's time and what is sent, and serves if it is to.
//
// N2  A second stop waits for the first.

import { jobKind } from '../job/job-kind.js';
import type { Carriage } from '../job/carriage.js';
import { idOf, queueName } from '../message/names.js';
import type { Backend } from '../ports/backend.js';
import type { LostWrite } from '../ports/ledger.js';
import { bellKind } from '../schedule/bell-kind.js';
import { rememberedRules } from '../schedule/rules.js';
import { scheduleKind } from '../schedule/schedule-kind.js';
import { Availability } from './availability.js';
import { checkBackend } from './backend-check.js';
import type { EngineParts } from './engine-parts.js';
import { Events } from './events.js';
import { LedgerTime } from './ledger-time.js';
import { Outbox } from './outbox.js';
import type { Pauses } from './pauses.js';
import { Serving } from './serving.js';

/** How much before its time a message is asked for, beyond the transport's precision: 300 ms for the broker (measured on
 *  RocketMQ), the rest for A1 of intake.ts. */
const LEAD_MS = 1_000;
const CLOCKS_APART_MS = 60_000; // how far the broker's clock may be behind the ledger's

/** One engine: receives, runs, records. */
export class Engine {
  readonly events: Events;
  readonly availability: Availability;
  readonly time: LedgerTime;
  readonly outbox: Outbox;
  readonly carriage: () => Carriage;
  readonly #parts: EngineParts;
  readonly #serving: Serving;
  readonly #queues: readonly string[];
  #opened: Promise<void> | undefined;
  #isOpen = false;
  #stopped: Promise<void> | undefined;
  #transportDown: string | undefined;
  #unhear: readonly ((() => void) | undefined)[] = [];

  constructor(parts: EngineParts) {
    const { backend, catalog, namespace, log, clock, random } = parts;
    const { transport, ledger } = backend;
    this.#parts = parts;
    this.#queues = [...parts.queues.keys()].map((queue) => queueName(namespace, queue));
    this.carriage = () => carriageOf(backend);
    const job = jobKind({ namespace, catalog, carriage: this.carriage, random });
    const schedule = scheduleKind({ namespace, carriage: this.carriage, ruleOf: rememberedRules() });
    const bell = bellKind(namespace, this.carriage);
    const kinds = new Map([job, schedule, bell].map((kind) => [kind.name, kind]));

    const events = new Events(log);
    const time = new LedgerTime(clock, ledger, (skewMs) =>
      log.warn({ skewMs }, "this host's clock and the ledger's differ"),
    );
    const availability = new Availability({ ...parts, events, probe: () => this.#probe() });
    const outbox = new Outbox({ ...parts, transport, ledger, time, availability, events, kinds });
    const { carriage } = this;
    this.events = events;
    this.time = time;
    this.availability = availability;
    this.outbox = outbox;
    const shared = { events, availability, time, outbox, kinds, carriage };
    this.#serving = new Serving({ ...parts, ...shared, served: this.#queues });
  }

  get pauses(): Pauses {
    return this.#serving.pauses;
  }

  /** Opens the backend: enough to schedule. Calling it again waits for the first call. */
  open(): Promise<void> {
    this.#opened ??= this.#open().then(
      () => void (this.#isOpen = true),
      (error: unknown) => {
        this.#opened = undefined;
        throw error;
      },
    );
    return this.#opened;
  }

  /** Opens the backend and, if there are queues to serve, begins to. */
  async start(): Promise<void> {
    await this.open();
    if (this.#stopped === undefined && this.#queues.length > 0) await this.#serving.start();
  }

  /** Stops within `withinMs` and a little, but not before `idle` resolves, if that is in time. */
  stop(withinMs: number, idle: () => Promise<void>): Promise<void> {
    this.#stopped ??= this.#stop(withinMs, idle);
    return this.#stopped;
  }

  /** Whether the backend is open and nobody has asked for a stop. */
  get isOpen(): boolean {
    return this.#isOpen && this.#stopped === undefined;
  }

  get stopping(): boolean {
    return this.#stopped !== undefined;
  }

  async #open(): Promise<void> {
    const { ledger, transport } = this.#parts.backend;
    await ledger.open();
    await transport.open(this.#queues);
    checkBackend(this.#parts, transport.limits);
    await this.time.measure();
    const unhearHealth = transport.onHealth?.((health) => {
      this.#transportDown = health.state === 'down' ? (health.reason ?? 'the transport is down') : undefined;
      if (this.#transportDown !== undefined) this.availability.report(new Error(this.#transportDown));
    });
    this.#unhear = [unhearHealth, ledger.onLoss?.((lost) => this.#tellLoss(lost))];
  }

  /** Tells of what the ledger had recorded and has lost (I4). */
  #tellLoss(lost: readonly LostWrite[]): void {
    const { namespace, log } = this.#parts;
    log.error({ count: lost.length }, 'the ledger has lost what it had recorded; these jobs may run again');
    for (const { key, task } of lost) this.events.emit('ledger:loss', { id: idOf(namespace, key), task });
  }

  /** Answers when both ports do, as far as the transport tells of its health. Another server's clock may answer after an outage. */
  async #probe(): Promise<void> {
    if (this.#transportDown !== undefined) throw new Error(this.#transportDown);
    await this.time.measure();
  }

  async #stop(withinMs: number, idle: () => Promise<void>): Promise<void> {
    await this.#serving.stop(withinMs, idle());
    await Promise.allSettled([this.#opened]);
    for (const unhear of this.#unhear) unhear?.();
    await this.#parts.backend.transport.close();
    await this.#parts.backend.ledger.close();
  }
}

function carriageOf({ fused, transport: { limits } }: Backend): Carriage {
  return {
    fused: fused === true,
    horizonMs: roomyHorizon(limits.horizonMs),
    earlyMs: limits.precisionMs === 0 ? 0 : limits.precisionMs + LEAD_MS,
  };
}

/** The horizon as it is used: a broker whose clock is behind would refuse what is asked for at the very end of it. */
function roomyHorizon(horizonMs: number): number {
  return horizonMs === Infinity ? horizonMs : horizonMs - Math.min(CLOCKS_APART_MS, Math.floor(horizonMs / 10));
}
