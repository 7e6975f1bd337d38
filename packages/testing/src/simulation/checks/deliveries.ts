// Deliveries: when each host was given the messages that it has not answered for yet.
//
// V1  Of several copies of one message a host acks the first and gives back the last: it works on the one that came first.

import type { Instant } from '@carillon/core/spi';
import type { Observation } from '../observation.js';

/** The deliveries that hosts hold. */
export class Deliveries {
  readonly #hosts = new Map<string, Map<string, Instant[]>>(); // host → message → since when, oldest first

  /** Takes an observation in; of an ack it answers since when the host has held the message. */
  watch(observation: Observation): Instant | undefined {
    const { at, host = '' } = observation;
    if (observation.what === 'host' && observation.change === 'started') this.#hosts.delete(host); // what it held is gone
    if (observation.what !== 'message') return undefined;
    const { change, message } = observation;
    if (change === 'delivered') this.#take(host, message.id, at);
    if (change === 'released') this.#give(host, message.id, 'last');
    return change === 'acked' ? this.#give(host, message.id, 'first') : undefined;
  }

  #take(host: string, message: string, at: Instant): void {
    let messages = this.#hosts.get(host);
    if (messages === undefined) this.#hosts.set(host, (messages = new Map()));
    const since = messages.get(message);
    if (since === undefined) messages.set(message, [at]);
    else since.push(at);
  }

  /** V1. */
  #give(host: string, message: string, which: 'first' | 'last'): Instant | undefined {
    const messages = this.#hosts.get(host);
    const since = messages?.get(message);
    const at = which === 'first' ? since?.shift() : since?.pop();
    if (since?.length === 0) messages?.delete(message);
    return at;
  }
}
