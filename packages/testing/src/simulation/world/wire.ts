// Wire: how one process reaches a server: what it asks may be lost, slow, or served unheard, and the process may die of it.
//
// R1  A request is served at most once per call, and at one instant, however late its answer comes.
// R2  A call that is not answered rejects after a time-out, as clients do; one of a dead process never ends.

import { CarillonError } from '@carillon/core/spi';
import type { Random } from '@carillon/core/spi';
import type { Tell } from '../observation.js';
import type { Chance, FaultName } from '../plan/faults.js';
import type { Incarnation } from './host.js';
import type { World } from './world.js';

const TIMEOUT_MS = 5_000;
const REFUSED_MS = 20; // a server that is down refuses at once
const LONGEST_ANSWER_MS = 4;
const SLOW_MS = 20_000;

/** What a wire leads to. */
export interface Server {
  readonly name: 'broker' | 'ledger';
  readonly isDown: boolean;
}

/** Which faults a kind of call may meet on its way. */
export interface Weather {
  readonly requestLost?: FaultName;
  readonly answerLost?: FaultName;
  /** Whether it may be slow. */
  readonly slow?: boolean;
}

/** What a wire needs. */
export interface WireParts {
  readonly world: World;
  readonly chance: Chance;
  readonly process: Incarnation;
  readonly server: Server;
  /** Whether the process's host is cut off from the servers. */
  readonly isCut: () => boolean;
  readonly tell: Tell;
}

/** A call under way. */
interface Call<T> {
  readonly name: string;
  readonly weather: Weather;
  readonly serve: () => Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

/** The way from one process to one server. */
export class Wire {
  readonly #parts: WireParts;
  readonly #latency: Random;
  readonly #silences = new Map<string, CarillonError>();

  constructor(parts: WireParts) {
    this.#parts = parts;
    this.#latency = parts.chance.stream('latency');
  }

  /** Asks the server to `serve`, and answers with what that answers. */
  ask<T>(name: string, weather: Weather, serve: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => this.#leave({ name, weather, serve, resolve, reject }));
  }

  #leave<T>(call: Call<T>): void {
    const { world, process, server } = this.#parts;
    const { name, weather } = call;
    if (!process.alive || this.#dies('before', name)) return;
    if (this.#isOut) return this.#unanswered(call, server.isDown ? REFUSED_MS : TIMEOUT_MS);
    if (this.#meets(weather.requestLost, name)) return this.#unanswered(call, TIMEOUT_MS);
    const delayMs = this.#delayMs(weather, name);
    if (delayMs === 0) this.#arrive(call);
    else world.after(delayMs, () => this.#arrive(call));
  }

  #arrive<T>(call: Call<T>): void {
    if (this.#parts.server.isDown) return this.#unanswered(call, REFUSED_MS);
    this.#asked(call.name, true);
    call.serve().then(
      (value) => this.#answer(call, () => call.resolve(value)),
      (error: unknown) => this.#answer(call, () => call.reject(error)),
    );
  }

  #answer<T>(call: Call<T>, settle: () => void): void {
    const { world, process } = this.#parts;
    const { name, weather } = call;
    if (this.#dies('after', name)) return;
    if (this.#isOut || this.#meets(weather.answerLost, name)) return this.#unanswered(call, TIMEOUT_MS);
    const delayMs = this.#usualMs() + this.#delayMs(weather, name);
    if (delayMs === 0) process.deliver(settle);
    else world.after(delayMs, () => process.deliver(settle));
  }

  /** Half of all answers come at once, the others some milliseconds later. */
  #usualMs(): number {
    const drawn = this.#latency.next();
    return drawn < 0.5 ? 0 : Math.ceil((drawn - 0.5) * 2 * LONGEST_ANSWER_MS);
  }

  get #isOut(): boolean {
    return this.#parts.server.isDown || this.#parts.isCut();
  }

  #meets(fault: FaultName | undefined, name: string): boolean {
    if (fault === undefined || !this.#parts.chance.hits(fault)) return false;
    this.#fault(fault, name);
    return true;
  }

  #delayMs({ slow }: Weather, name: string): number {
    if (slow !== true || !this.#meets('slow', name)) return 0;
    return Math.ceil(this.#parts.chance.between('slow', 50, SLOW_MS));
  }

  /** Whether the process crashes at this point. */
  #dies(when: 'before' | 'after', name: string): boolean {
    const { chance, process, server } = this.#parts;
    if (!process.mortal || !chance.hits('crash')) return false;
    this.#fault('crash', `${when} ${server.name}.${name}`);
    process.crash();
    return true;
  }

  #unanswered<T>({ name, reject }: Call<T>, afterMs: number): void {
    const { world, process } = this.#parts;
    this.#asked(name, false);
    world.after(afterMs, () => process.deliver(() => reject(this.#silence(name))));
  }

  /** One error for all calls of a name: a stack costs much, and tells nothing here. */
  #silence(name: string): CarillonError {
    let error = this.#silences.get(name);
    if (error === undefined) {
      const text = `The ${this.#parts.server.name} did not answer ${name}.`;
      error = new CarillonError('E_UNCLEAR', text, { next: 'Ask again; this is a simulated fault.' });
      this.#silences.set(name, error);
    }
    return error;
  }

  #asked(name: string, served: boolean): void {
    const { server, process, tell } = this.#parts;
    tell({ what: 'request', host: process.host, to: server.name, name, served });
  }

  #fault(fault: FaultName, about: string): void {
    const { process, tell } = this.#parts;
    tell({ what: 'fault', host: process.host, fault, about });
  }
}
