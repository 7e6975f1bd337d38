// Commits: gathers the changes that are decided in one moment into one call of the ledger.
//
// B1  Each change has an answer of its own, and is repeated until there is one (H2 of availability.ts).
// B2  A call that fails is repeated change by change: one that the ledger does not take holds up no other.

import type { Change, ChangeAnswer, Ledger } from '../ports/ledger.js';
import type { Availability } from './availability.js';

interface Decided {
  readonly change: Change;
  readonly resolve: (answer: ChangeAnswer | undefined) => void;
}

/** The way of changes to the ledger. */
export class Commits {
  readonly #ledger: Ledger;
  readonly #availability: Availability;
  #decided: Decided[] = [];

  constructor(ledger: Ledger, availability: Availability) {
    this.#ledger = ledger;
    this.#availability = availability;
  }

  /** The ledger's answer to one change; undefined once the engine has given up. */
  commit(change: Change): Promise<ChangeAnswer | undefined> {
    return new Promise((resolve) => {
      if (this.#decided.push({ change, resolve }) === 1) queueMicrotask(() => void this.#send());
    });
  }

  async #send(): Promise<void> {
    const decided = this.#decided;
    this.#decided = [];
    try {
      const answers = await this.#ledger.commit(decided.map(({ change }) => change));
      for (const [index, { resolve }] of decided.entries()) resolve(answers[index]);
    } catch (error) {
      this.#availability.report(error);
      for (const one of decided) void this.#repeat(one); // B2
    }
  }

  async #repeat({ change, resolve }: Decided): Promise<void> {
    await this.#availability.whenUp();
    const answers = await this.#availability.persist(() => this.#ledger.commit([change]));
    resolve(answers?.[0]);
  }
}
