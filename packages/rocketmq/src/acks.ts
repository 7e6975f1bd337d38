// Acks: acknowledges many messages with one request; the stock client sends a request for each.
//
// K1  An acknowledgement waits a moment for others: only a stop waits for it, and a request costs a process and the broker
//     more than everything else that a small job does. A full request goes at once; what has waited, as soon as it may.
// K2  Each entry has its own answer: one that is lost says nothing of the others.

import type { Clock, Timer } from '@carillon/core/spi';
import type { Channel } from './channel.js';
import { BrokerFailure, failureFrom, failureOf } from './failure.js';
import { AckMessageEntry, AckMessageRequest, resource } from './protocol.js';

/** How acknowledgements are sent. */
export interface AckParts {
  readonly channel: Pick<Channel, 'call'>;
  readonly topic: string;
  readonly group: string;
  readonly requestTimeoutMs: number;
  readonly clock: Pick<Clock, 'after'>;
}

/** One message, as its last receipt names it. */
export interface Receipt {
  readonly messageId: string;
  readonly handle: string;
}

interface Waiting extends Receipt {
  readonly resolve: (outcome: 'ok' | 'lost') => void;
  readonly reject: (error: unknown) => void;
}

const ENTRIES = 64;
const REQUESTS = 2;

/** How long an acknowledgement waits for others, in milliseconds. */
export const GATHER_MS = 100;

/** The acknowledgements of one consumer. */
export class Acks {
  readonly #parts: AckParts;
  #waiting: Waiting[] = [];
  #underway = 0;
  #timer: Timer | undefined;

  constructor(parts: AckParts) {
    this.#parts = parts;
  }

  /** Acknowledges one message; `lost` if its lease had ended. */
  ack(receipt: Receipt): Promise<'ok' | 'lost'> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...receipt, resolve, reject });
      if (this.#isFull) this.#flush();
      else this.#timer ??= this.#parts.clock.after(GATHER_MS, () => this.#gathered()); // K1
    });
  }

  get #isFull(): boolean {
    return this.#waiting.length >= ENTRIES;
  }

  #gathered(): void {
    this.#timer = undefined;
    this.#flush();
  }

  #flush(): void {
    while (this.#waiting.length > 0 && this.#underway < REQUESTS) {
      this.#underway += 1;
      void this.#send(this.#waiting.splice(0, ENTRIES)).finally(() => {
        this.#underway -= 1;
        if (this.#isFull || this.#timer === undefined) this.#flush(); // K1: without a timer, all that is here has waited
      });
    }
  }

  async #send(batch: readonly Waiting[]): Promise<void> {
    const { channel, topic, group, requestTimeoutMs } = this.#parts;
    const request = new AckMessageRequest().setGroup(resource(group)).setTopic(resource(topic));
    request.setEntriesList(
      batch.map(({ messageId, handle }) => new AckMessageEntry().setMessageId(messageId).setReceiptHandle(handle)),
    );
    try {
      const response = await channel.call('ackMessage', request, requestTimeoutMs);
      const answers = new Map(
        response.getEntriesList().map((entry) => [entry.getReceiptHandle(), entry.getStatus()?.toObject()]),
      );
      const whole = failureOf(response.getStatus()?.toObject());
      for (const waiting of batch) {
        const failure = answers.has(waiting.handle) ? failureOf(answers.get(waiting.handle)) : whole; // K2
        if (failure === undefined) waiting.resolve('ok');
        else if (failure.kind === 'lost') waiting.resolve('lost');
        else waiting.reject(failure);
      }
    } catch (error) {
      const failure = error instanceof BrokerFailure ? error : failureFrom(error);
      for (const { reject } of batch) reject(failure);
    }
  }
}
