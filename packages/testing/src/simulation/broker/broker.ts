// Broker: a simulated message broker that many engines share: it keeps messages until their time and delivers them at least
// once, unless a fault says otherwise.
//
// B1  A message is delivered at or after its time, up to one slot late; a delivery makes it invisible while it is held.
// B2  A delivery speaks for its message only while its lease runs and no later delivery has been made.

import type { Instant, Limits, OutgoingMessage, ReceiveRequest, SendOutcome } from '@carillon/core/spi';
import { copyMessage } from '../../memory/records.js';
import { SortedSet } from '../../sorted-set.js';
import type { MessageChange, Tell } from '../observation.js';
import type { Chance, FaultName } from '../plan/faults.js';
import type { Server } from '../world/wire.js';
import type { Planned, World } from '../world/world.js';

/** A message at the broker. */
export interface StoredMessage {
  readonly message: OutgoingMessage;
  readonly order: number;
  readonly storedAt: Instant;
  /** When it can be delivered; while a delivery is held, when that ends. */
  visibleAt: Instant;
  /** How often it has been delivered. */
  attempts: number;
  /** Until when its latest delivery speaks for it (B2). */
  heldUntil: Instant;
  gone: boolean;
}

interface Waiter {
  readonly host: string;
  readonly request: ReceiveRequest;
  readonly resolve: (taken: readonly StoredMessage[]) => void;
}

interface Queue {
  readonly messages: SortedSet<StoredMessage>;
  waiters: Waiter[];
  timer: Planned | undefined;
  timerAt: Instant;
}

/** What a broker is made of. */
export interface BrokerParts {
  readonly world: World;
  readonly chance: Chance;
  readonly limits: Limits;
  readonly tell: Tell;
}

const LONG_POLL_MS = 60_000;
const KEPT_MS = 3_600_000;
const encoder = new TextEncoder();
const NO_ENVELOPES = ['', '{}', '[1]', 'Hello?', '{"v":1,"r":1,"k":"jo', '{"v":1,"r":1,"k":"job","i":7,"t":"x"}'];
const GARBAGE = [Uint8Array.of(0xff, 0xfe), ...NO_ENVELOPES.map((text) => encoder.encode(text))];

/** The broker of one run. */
export class Broker implements Server {
  readonly name = 'broker';
  readonly limits: Limits;
  isDown = false;
  readonly #world: World;
  readonly #chance: Chance;
  readonly #tell: Tell;
  readonly #queues = new Map<string, Queue>();
  readonly #abortable = new WeakMap<AbortSignal, Set<Waiter>>(); // one signal serves many receives
  #stored = 0;

  constructor({ world, chance, limits, tell }: BrokerParts) {
    this.#world = world;
    this.#chance = chance;
    this.#tell = tell;
    this.limits = limits;
  }

  /** Stores a message, or refuses it for good. */
  send(host: string, sent: OutgoingMessage): SendOutcome {
    const { horizonMs, maxBytes } = this.limits;
    const message = copyMessage(sent);
    if (message.deliverAt - this.#world.now > horizonMs) {
      return { outcome: 'refused', reason: 'its delivery time is beyond the horizon' };
    }
    if (message.body.length > maxBytes) return { outcome: 'refused', reason: 'it is too large' };
    if (this.#meets('message-lost', message)) this.#say('lost', message, host);
    else {
      this.#say('stored', message, host);
      this.#store(message);
      if (this.#meets('duplicate', message)) {
        this.#say('copied', message, host);
        this.#store(message);
      }
    }
    return { outcome: 'sent' };
  }

  /** Waits for messages; answers with none after a long poll's time, or when the request is aborted. */
  receive(host: string, request: ReceiveRequest): Promise<readonly StoredMessage[]> {
    const queue = this.#queue(request.queue);
    return new Promise((resolve) => {
      if (request.signal.aborted) return resolve([]);
      const waiter: Waiter = {
        host,
        request,
        resolve: (taken) => {
          ended.cancel();
          queue.waiters = queue.waiters.filter((other) => other !== waiter);
          abortable.delete(waiter);
          resolve(taken);
        },
      };
      const ended = this.#world.after(LONG_POLL_MS, () => waiter.resolve([]));
      const abortable = this.#abortableBy(request.signal);
      abortable.add(waiter);
      queue.waiters.push(waiter);
      this.#serve(queue);
    });
  }

  /** Ends every receive of a host. */
  hangUp(host: string): void {
    for (const { waiters } of this.#queues.values()) {
      for (const waiter of waiters) if (waiter.host === host) waiter.resolve([]);
    }
  }

  /** Forgets those who wait on a host that has crashed. */
  disconnect(host: string): void {
    for (const queue of this.#queues.values()) queue.waiters = queue.waiters.filter((waiter) => waiter.host !== host);
  }

  /** Ends, prolongs or gives up a delivery; `lost` if it does not speak for its message any more (B2). */
  settle(
    host: string,
    stored: StoredMessage,
    attempt: number,
    what: 'ack' | 'extend' | 'release',
    forMs: number,
  ): 'ok' | 'lost' {
    const now = this.#world.now;
    if (stored.gone || stored.attempts !== attempt || stored.heldUntil <= now) return 'lost';
    if (what === 'ack') {
      this.#remove(stored);
      this.#say('acked', stored.message, host);
      return 'ok';
    }
    stored.heldUntil = what === 'extend' ? now + forMs : now;
    this.#move(stored, now + forMs);
    if (what === 'release') this.#say('released', stored.message, host);
    return 'ok';
  }

  /** Removes what has been kept for over an hour, delivered or not. */
  expire(): void {
    for (const queue of this.#queues.values()) {
      for (const stored of Array.from(queue.messages)) {
        if (this.#world.now - stored.storedAt < KEPT_MS) continue;
        this.#remove(stored);
        this.#say('lost', stored.message, undefined);
      }
    }
  }

  /** Puts what nobody of ours has sent on a queue that somebody has asked for. */
  litter(): void {
    const random = this.#chance.stream('garbage');
    const oneOf = <T>(things: readonly T[]): T | undefined => things[Math.floor(random.next() * things.length)];
    const queue = oneOf([...this.#queues.keys()]);
    if (queue === undefined) return;
    const id = `garbage-${this.#stored + 1}`;
    const message = { id, queue, body: oneOf(GARBAGE)!, deliverAt: this.#world.now };
    this.#say('stored', message, undefined);
    this.#store(message);
  }

  /** Every message that is kept. */
  *all(): Generator<StoredMessage> {
    for (const queue of this.#queues.values()) yield* queue.messages;
  }

  #store(message: OutgoingMessage): void {
    const { precisionMs } = this.limits;
    const now = this.#world.now;
    let visibleAt = Math.max(now, message.deliverAt);
    if (precisionMs > 0 && visibleAt > now) visibleAt = Math.ceil(visibleAt / precisionMs) * precisionMs;
    if (this.#meets('early', message)) visibleAt = Math.max(now, visibleAt - this.#drawn('early', 1_500));
    if (this.#meets('reorder', message)) visibleAt += this.#drawn('reorder', 3_000);
    if (this.#meets('late', message)) visibleAt += this.#drawn('late', 180_000);
    this.#stored += 1;
    const stored = { message, order: this.#stored, storedAt: now, visibleAt, attempts: 0, heldUntil: 0, gone: false };
    const queue = this.#queue(message.queue);
    queue.messages.add(stored);
    this.#serve(queue);
  }

  /** Hands out what can be delivered to those who wait. */
  #serve(queue: Queue): void {
    const now = this.#world.now;
    while (queue.waiters.length > 0 && (queue.messages.first?.visibleAt ?? Infinity) <= now) {
      const waiter = queue.waiters[Math.floor(this.#chance.stream('receiver').next() * queue.waiters.length)]!;
      waiter.resolve(this.#take(queue, waiter));
    }
    const nextAt = queue.waiters.length === 0 ? undefined : queue.messages.first?.visibleAt;
    if (nextAt === undefined || nextAt >= queue.timerAt) return;
    queue.timer?.cancel();
    queue.timerAt = nextAt;
    queue.timer = this.#world.at(nextAt, () => {
      queue.timerAt = Infinity;
      if (!this.isDown) this.#serve(queue);
    });
  }

  #take(queue: Queue, { host, request }: Waiter): readonly StoredMessage[] {
    const now = this.#world.now;
    const taken: StoredMessage[] = [];
    for (let next = queue.messages.first; next !== undefined && next.visibleAt <= now; next = queue.messages.first) {
      if (taken.length === request.max) break;
      next.attempts += 1;
      next.heldUntil = now + request.leaseMs;
      const again = this.#meets('redelivery', next.message);
      this.#move(next, again ? now + this.#drawn('redelivery', request.leaseMs) : next.heldUntil);
      this.#say('delivered', next.message, host);
      taken.push(next);
    }
    return taken;
  }

  /** Those who are waiting until a signal aborts. */
  #abortableBy(signal: AbortSignal): Set<Waiter> {
    let waiters = this.#abortable.get(signal);
    if (waiters === undefined) {
      const all = new Set<Waiter>();
      this.#abortable.set(signal, (waiters = all));
      signal.addEventListener('abort', () => {
        for (const waiter of all) waiter.resolve([]);
      });
    }
    return waiters;
  }

  #move(stored: StoredMessage, visibleAt: Instant): void {
    const queue = this.#queue(stored.message.queue);
    queue.messages.delete(stored);
    stored.visibleAt = visibleAt;
    queue.messages.add(stored);
    if (queue.waiters.length > 0) this.#world.soon(() => this.#serve(queue));
  }

  #remove(stored: StoredMessage): void {
    this.#queue(stored.message.queue).messages.delete(stored);
    stored.gone = true;
  }

  #queue(name: string): Queue {
    let queue = this.#queues.get(name);
    if (queue === undefined) {
      const messages = new SortedSet<StoredMessage>((a, b) => a.visibleAt - b.visibleAt || a.order - b.order);
      this.#queues.set(name, (queue = { messages, waiters: [], timer: undefined, timerAt: Infinity }));
    }
    return queue;
  }

  #meets(fault: FaultName, message: OutgoingMessage): boolean {
    if (!this.#chance.hits(fault)) return false;
    this.#tell({ what: 'fault', host: undefined, fault, about: message.id });
    return true;
  }

  #drawn(fault: FaultName, mostMs: number): number {
    return Math.ceil(this.#chance.between(fault, 1, mostMs));
  }

  #say(change: MessageChange, message: OutgoingMessage, host: string | undefined): void {
    this.#tell({ what: 'message', host, change, message });
  }
}
