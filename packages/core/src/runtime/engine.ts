// Engine: wires the runtime together, starts it and stops it. The only file that knows every part.
//
// N1  A stop takes nothing new, lets handlers finish, then tells them to stop, then gives back what is left. It ends within
//     its time, and a second stop waits for the first.

import { CarillonError } from '../errors.js';
import { jobKind } from '../job/job-kind.js';
import { keptForMs } from '../job/settle.js';
import type { Carriage } from '../job/carriage.js';
import { idOf, queueName } from '../message/names.js';
import type { Backend } from '../ports/backend.js';
import type { LostWrite } from '../ports/ledger.js';
import { bellKind } from '../schedule/bell-kind.js';
import { rememberedRules } from '../schedule/rules.js';
import { scheduleKind } from '../schedule/schedule-kind.js';
import type { Catalog } from '../task/catalog.js';
import type { Logger } from '../task/logger.js';
import type { Clock, Ids, Random } from '../time/clock.js';
import { formatDuration } from '../time/duration.js';
import { Attempts } from './attempts.js';
import { Availability } from './availability.js';
import { Commits } from './commits.js';
import { Deliveries } from './delivery.js';
import { Events } from './events.js';
import { Heartbeat } from './heartbeat.js';
import { Intake } from './intake.js';
import { Landing, LANDING_MS } from './landing.js';
import { LedgerTime } from './ledger-time.js';
import { Messages } from './message.js';
import { Outbox } from './outbox.js';
import { Pauses } from './pauses.js';
import { Slots } from './slots.js';
import { Sweep } from './sweep.js';

/** Everything that an engine is made of, resolved. */
export interface EngineParts {
  readonly backend: Backend;
  readonly catalog: Catalog;
  readonly namespace: string;
  readonly worker: string;
  /** Queues to serve, with how many handlers each may run. */
  readonly queues: ReadonlyMap<string, number>;
  readonly concurrency: number;
  readonly leaseMs: number;
  readonly maxResultBytes: number;
  readonly log: Logger;
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
}

const HELD_UNTIL_DUE = 1_000;
const USUAL_DELAY_MS = 300; // what a broker needs beyond its precision, measured in facts on RocketMQ
const GIVE_UP_MS = 2_000;
const CLOCKS_APART_MS = 60_000; // how far the broker's clock may be behind the ledger's

/** One engine: receives, runs, records. */
export class Engine {
  readonly events: Events;
  readonly availability: Availability;
  readonly time: LedgerTime;
  readonly outbox: Outbox;
  readonly pauses: Pauses;
  readonly carriage: () => Carriage;
  readonly #parts: EngineParts;
  readonly #slots: Slots;
  readonly #landing: Landing;
  readonly #heartbeat: Heartbeat;
  readonly #attempts: Attempts;
  readonly #intake: Intake;
  readonly #sweep: Sweep | undefined;
  readonly #queues: readonly string[];
  #opened: Promise<void> | undefined;
  #isOpen = false;
  #stopped: Promise<void> | undefined;
  #serving = false;
  #transportDown: string | undefined;
  #unhear: readonly ((() => void) | undefined)[] = [];

  constructor(parts: EngineParts) {
    const { backend, catalog, namespace, worker, leaseMs, log, clock, random, ids, maxResultBytes } = parts;
    const { transport, ledger } = backend;
    const queues = [...parts.queues.keys()].map((queue) => queueName(namespace, queue));
    this.#parts = parts;
    this.#queues = queues;
    this.carriage = () => ({
      fused: backend.fused === true,
      horizonMs: roomyHorizon(transport.limits.horizonMs),
      earlyMs: transport.limits.precisionMs === 0 ? 0 : transport.limits.precisionMs + USUAL_DELAY_MS,
    });
    const job = jobKind({ namespace, catalog, carriage: this.carriage, random });
    const schedule = scheduleKind({ namespace, carriage: this.carriage, ruleOf: rememberedRules() });
    const bell = bellKind(namespace, this.carriage);
    const kinds = new Map([job, schedule, bell].map((kind) => [kind.name, kind]));

    this.events = new Events(log);
    const events = this.events;
    this.time = new LedgerTime(clock, ledger, (skewMs) =>
      log.warn({ skewMs }, "this host's clock and the ledger's differ"),
    );
    const time = this.time;
    this.availability = new Availability({ clock, random, log, events, probe: () => this.#probe() });
    const availability = this.availability;
    this.outbox = new Outbox({ transport, ledger, ids, time, availability, events, kinds });
    const outbox = this.outbox;
    const slots = new Slots(slotLimits(parts), clock);
    this.pauses = new Pauses({ namespace, ledger, clock, ids, availability, onChange: () => slots.renew() });
    const pauses = this.pauses;
    const heartbeat = new Heartbeat({ clock, ledger, availability, leaseMs });
    const landing = new Landing({ clock, time, heartbeat, capacity: HELD_UNTIL_DUE });
    const commits = new Commits(ledger, availability);
    const attempts = new Attempts({
      ledger,
      commits,
      clock,
      ids,
      time,
      availability,
      heartbeat,
      events,
      log,
      worker,
      namespace,
      maxResultBytes,
    });
    const deliveries = new Deliveries({
      ledger,
      clock,
      ids,
      log,
      time,
      availability,
      events,
      kinds,
      slots,
      landing,
      heartbeat,
      pauses,
      attempts,
      outbox,
    });
    const messages = new Messages({
      namespace,
      ledger,
      clock,
      maxBytes: transport.limits.maxBytes,
      leaseMs,
      worker,
      ids,
      time,
      availability,
      events,
      kinds,
      landing,
      landingMs: () => Math.max(LANDING_MS, this.carriage().earlyMs + transport.limits.precisionMs),
      outbox,
      deliveries,
    });
    this.#slots = slots;
    this.#heartbeat = heartbeat;
    this.#landing = landing;
    this.#attempts = attempts;
    this.#intake = new Intake({
      transport,
      queues,
      worker,
      leaseMs,
      log,
      slots,
      landing,
      pauses,
      availability,
      messages,
      deliveries,
    });
    this.#sweep =
      backend.fused === true
        ? undefined
        : new Sweep({ ledger, queues, clock, random, ids, time, availability, events, outbox, kinds });
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
    if (this.#serving || this.#stopped !== undefined || this.#parts.queues.size === 0) return;
    this.#serving = true;
    await this.pauses.refresh();
    this.#sweep?.start();
    this.#intake.start();
  }

  /** Stops within `withinMs` and a little (N1), but not before `idle` resolves, if that is in time. */
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
    this.#checkLease();
    this.#checkRetention();
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

  #checkLease(): void {
    const { leaseMs, backend } = this.#parts;
    const [min, max] = backend.transport.limits.leaseMs;
    if (leaseMs >= min && leaseMs <= max) return;
    throw new CarillonError('E_OPTIONS', `A lease of ${formatDuration(leaseMs)} is not possible on this transport.`, {
      next: `Choose a lease of ${formatDuration(min)} to ${max === Infinity ? 'any length' : formatDuration(max)}.`,
    });
  }

  /** A copy of a message must find what became of its job (S5 of settle.ts). */
  #checkRetention(): void {
    const { catalog, backend } = this.#parts;
    const { retentionMs = 0 } = backend.transport.limits;
    const short = [...catalog].find(([, { options }]) => keptForMs(options) < retentionMs);
    if (short === undefined) return;
    const [name, { options }] = short;
    const kept = formatDuration(keptForMs(options));
    const message = `The broker keeps messages for ${formatDuration(retentionMs)}, and the task '${name}' its completions for ${kept}.`;
    throw new CarillonError('E_OPTIONS', message, {
      next: `Set keep: '${formatDuration(retentionMs)}' or more, so that a late copy finds them, or lower the broker's retention.`,
    });
  }

  async #stop(withinMs: number, idle: () => Promise<void>): Promise<void> {
    const { log } = this.#parts;
    const sent = idle();
    if (this.#serving) {
      this.#slots.close();
      this.#landing.close();
      this.pauses.stop();
      const drained = Promise.all([this.#intake.stop(), this.#sweep?.stop()]).then(() => this.#intake.drained());
      const ended = Promise.all([drained, sent]);
      if (!(await this.#within(ended, withinMs))) {
        log.warn(
          { running: this.#slots.running },
          'handlers are still running at the end of the stop; they are told to stop',
        );
        this.#attempts.stopAll();
        if (!(await this.#within(ended, GIVE_UP_MS))) {
          this.#attempts.giveUpAll();
          if (!(await this.#within(ended, GIVE_UP_MS))) {
            this.availability.abandon();
            log.error(
              { underway: this.#intake.underway },
              'stopped before the backend answered; leases end by themselves',
            );
          }
        }
      }
    } else if (!(await this.#within(sent, withinMs))) {
      log.warn({}, 'stopped before all messages were sent; a sweep sends them');
    }
    this.availability.abandon();
    this.#heartbeat.stop();
    await Promise.allSettled([this.#opened]);
    for (const unhear of this.#unhear) unhear?.();
    await this.#parts.backend.transport.close();
    await this.#parts.backend.ledger.close();
  }

  /** Whether it ended in time. */
  async #within(ended: Promise<unknown>, ms: number): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const timer = this.#parts.clock.after(ms, () => resolve(false));
      ended.then(
        () => {
          timer.cancel();
          resolve(true);
        },
        (error: unknown) => {
          timer.cancel();
          reject(error instanceof Error ? error : new Error(String(error)));
        },
      );
    });
  }
}

/** The horizon as it is used: a broker whose clock is behind would refuse what is asked for at the very end of it. */
function roomyHorizon(horizonMs: number): number {
  return horizonMs === Infinity ? horizonMs : horizonMs - Math.min(CLOCKS_APART_MS, Math.floor(horizonMs / 10));
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
