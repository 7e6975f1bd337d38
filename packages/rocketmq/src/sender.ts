// Sender: sends messages, many at once, and tells what became of each.
//
// S1  Sends go side by side, up to a number; more wait for their turn here instead of in the proxy.
// S2  A broker that is throttled is asked again, later and later, with jitter; what is still throttled then is `unknown`.
// S3  A delivery time that the broker finds too far ahead teaches the horizon; the message goes out for the new horizon, and
//     the engine makes a hop of it.
// S4  What cannot be told from stored is `unknown`, never `refused`.

import type { OutgoingMessage, SendOutcome } from '@carillon/core/spi';
import type { Channel } from './channel.js';
import { BrokerFailure, explain, failureFrom, failureOf, longestDelayMs } from './failure.js';
import type { Horizon } from './horizon.js';
import type { Resolved } from './options.js';
import { topicOf } from './names.js';
import { sendRequest } from './outgoing.js';

/** What a sender works with. */
export interface SenderParts {
  readonly channel: Pick<Channel, 'call'>;
  readonly options: Resolved;
  readonly horizon: Horizon;
}

const FIRST_WAIT_MS = 100;
const THROTTLED_TRIES = 6; // about 6 s of waiting
const LEARNING_TRIES = 3;

/** The sending side. */
export class Sender {
  readonly #parts: SenderParts;
  readonly #line: (() => void)[] = [];
  #underway = 0;

  constructor(parts: SenderParts) {
    this.#parts = parts;
  }

  /** What becomes of one message; throws only what a person must mend, or that nobody answers. */
  async send(message: OutgoingMessage): Promise<SendOutcome> {
    const refusal = this.#refusal(message);
    if (refusal !== undefined) return { outcome: 'refused', reason: `The message was refused: ${refusal}.` };
    const own = { ...message, body: message.body.slice() }; // the caller's may change while this one waits
    await this.#turn(); // S1
    try {
      return await this.#try(own);
    } finally {
      this.#underway -= 1;
      this.#line.shift()?.();
    }
  }

  #refusal({ body, deliverAt }: OutgoingMessage): string | undefined {
    const { options, horizon } = this.#parts;
    if (body.length > options.maxBytes)
      return `its body has ${body.length} bytes, and the limit is ${options.maxBytes}`;
    const aheadMs = deliverAt - options.clock.now();
    if (horizon.allows(aheadMs)) return undefined;
    return `it is to be delivered in ${aheadMs} ms, and the horizon is ${horizon.ms} ms`;
  }

  async #try(message: OutgoingMessage): Promise<SendOutcome> {
    const { horizon } = this.#parts;
    let throttled = 0;
    let learned = 0;
    for (;;) {
      const answer = await this.#request(message);
      if (!(answer instanceof BrokerFailure)) return answer;
      const topic = topicOf(this.#parts.options.prefix, message.queue);
      switch (answer.kind) {
        case 'throttled':
          throttled += 1;
          if (throttled === THROTTLED_TRIES) return { outcome: 'unknown', cause: answer };
          await this.#wait(FIRST_WAIT_MS * 2 ** throttled); // S2
          break;
        case 'beyond':
          learned += 1;
          if (learned > LEARNING_TRIES) return { outcome: 'unknown', cause: answer };
          horizon.learn(longestDelayMs(answer)); // S3
          break;
        case 'refused':
          return { outcome: 'refused', reason: `The message was refused: ${answer.message}.` };
        case 'setup':
        case 'access':
        case 'unreachable':
          throw explain(answer, { topic, group: topic });
        default:
          return { outcome: 'unknown', cause: answer }; // S4
      }
    }
  }

  async #request(message: OutgoingMessage): Promise<SendOutcome | BrokerFailure> {
    const { channel, options, horizon } = this.#parts;
    const now = options.clock.now();
    const deliverAt = Math.min(message.deliverAt, now + horizon.ms); // S3
    const topic = topicOf(options.prefix, message.queue);
    const { vendorProperty } = options;
    try {
      const request = sendRequest({ topic, body: message.body, deliverAt, now, vendorProperty });
      const response = await channel.call('sendMessage', request, options.requestTimeoutMs);
      const entry = response.getEntriesList()[0];
      const status = entry?.getStatus() ?? response.getStatus();
      const failure = failureOf(status?.toObject()) ?? failureOf(response.getStatus()?.toObject());
      if (failure !== undefined) return failure;
      const handle = entry?.getRecallHandle() ?? '';
      return handle === '' ? { outcome: 'sent' } : { outcome: 'sent', receipt: `${topic}:${handle}` };
    } catch (error) {
      return failureFrom(error);
    }
  }

  #turn(): Promise<void> | undefined {
    this.#underway += 1;
    if (this.#underway <= this.#parts.options.sends) return undefined;
    return new Promise((resolve) => void this.#line.push(resolve));
  }

  #wait(ms: number): Promise<void> {
    const { clock, random } = this.#parts.options;
    return new Promise((resolve) => void clock.after(ms * (0.5 + random.next() / 2), resolve));
  }
}
