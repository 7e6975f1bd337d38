// Dice: draws with a purpose, from one stream of random numbers.

import type { Random } from '@carillon/core/spi';

/** Draws numbers, choices and spans of time. */
export class Dice {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Whether something of this probability happens. */
  chance(probability: number): boolean {
    return this.#random.next() < probability;
  }

  /** A whole number from `from` to `to`, both included. */
  between(from: number, to: number): number {
    return from + Math.floor(this.#random.next() * (to - from + 1));
  }

  /** A whole number as `between`, with small ones as likely as large ones: even on a logarithmic scale; `from` is above 0. */
  spread(from: number, to: number): number {
    return Math.round(from * (to / from) ** this.#random.next());
  }

  /** One of some things, each as likely. */
  pick<const T>(things: readonly [T, ...T[]]): T {
    return things[Math.floor(this.#random.next() * things.length)]!;
  }

  /** One of some things, by their weights. */
  weighted<T>(things: readonly (readonly [weight: number, thing: T])[]): T {
    let left = this.#random.next() * things.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, thing] of things) {
      if (left < weight) return thing;
      left -= weight;
    }
    return things.at(-1)![1];
  }
}
