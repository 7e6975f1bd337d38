// Shop: the business code: what follows from a purchase.
//
// S1  The calls for one customer go out one after the other, in the order of the purchases.
// S2  A call is repeated with its id until it is answered, and the answer is written down before the next call.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Carillon, ScheduleAnswer } from '@carillon/core';
import { AskForReview } from './ask-for-review.js';
import { type Answer, DAYS, jobId, type MailKind } from './evidence.js';
import type { Journal } from './journal.js';
import type { Purchase } from './purchases.js';
import { WinBack } from './win-back.js';

/** What a shop works with. */
export interface ShopParts {
  readonly carillon: Pick<Carillon, 'schedule'>;
  readonly answers: Pick<Journal<Answer>, 'append'>;
  /** How long a day of the replay is, in milliseconds. */
  readonly dayMs: number;
  /** Waits before a call is repeated; by default on the host's own timer. */
  readonly pause?: (ms: number) => Promise<unknown>;
}

const LONGEST_PAUSE_MS = 500;
const MOST_TROUBLES = 60; // half a minute

/** A shop that asks for reviews and wins customers back. */
export class Shop {
  readonly #parts: ShopParts;
  readonly #customers = new Map<string, Promise<void>>();
  #served = 0;

  constructor(parts: ShopParts) {
    this.#parts = parts;
  }

  /** How many purchases have had their answers. */
  get served(): number {
    return this.#served;
  }

  /** Takes a purchase; resolves when its calls are answered and written down. */
  sell(purchase: Purchase): Promise<void> {
    const before = this.#customers.get(purchase.customer) ?? Promise.resolve();
    const served = before.then(() => this.#serve(purchase)); // S1
    this.#customers.set(purchase.customer, served);
    return served;
  }

  async #serve({ row, customer }: Purchase): Promise<void> {
    const { carillon } = this.#parts;
    const mail = { row, customer };
    await this.#call('review', row, (id, delay) => carillon.schedule(AskForReview, mail, { id, in: delay }));
    await this.#call('win-back', row, (id, delay) =>
      carillon.schedule(WinBack, mail, { id, in: delay, key: customer, onExisting: 'replace' }),
    );
    this.#served += 1;
  }

  async #call(
    kind: MailKind,
    row: number,
    schedule: (id: string, delay: { milliseconds: number }) => Promise<ScheduleAnswer>,
  ): Promise<void> {
    const id = jobId(kind, row);
    const delayMs = DAYS[kind] * this.#parts.dayMs;
    const calledAt = Date.now();
    const { troubles, answer } = await this.#untilAnswered(() => schedule(id, { milliseconds: delayMs }));
    await this.#parts.answers.append({ kind, row, delayMs, calledAt, answeredAt: Date.now(), troubles, ...answer }); // S2
  }

  /** Calls until there is an answer; throws the last error when its patience is over. */
  async #untilAnswered(
    call: () => Promise<ScheduleAnswer>,
  ): Promise<{ answer: ScheduleAnswer; troubles: readonly string[] }> {
    const { pause = sleep } = this.#parts;
    const troubles: string[] = [];
    for (let pauseMs = 20; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      try {
        return { answer: await call(), troubles };
      } catch (error) {
        troubles.push(String(error));
        if (troubles.length === MOST_TROUBLES) throw error;
        await pause(pauseMs);
      }
    }
  }
}
