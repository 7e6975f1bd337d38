// Commits: gathers the changes that are decided in one moment into one call of the ledger.
//
// B1  Each change has an answer of its own, and is repeated until there is one (H2 of availability.ts).
// B2  A call that fails is repeated change by change: one that the ledger does not take holds up no other.
// B3  A change that meets a record nobody here can read is given up (H4 of availability.ts).

import type { Change, ChangeAnswer, Ledger } from '../ports/ledger.js';
import type { Availability } from './availability.js';

/** A change that is decided, and who waits for its answer. */
export interface Decided {
  readonly change: Change;
  /** The ledger's answer; undefined once the engine has given up. Must not throw. */
  answered(answer: ChangeAnswer | undefined): void;
  /** There will be no answer, because of a record that can't be read (B3). Must not throw. */
  failed(error: unknown): void;
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

  /** Commits a change together with all others of this moment. */
  commit(decided: Decided): void {
    if (this.#decided.push(decided) === 1) queueMicrotask(() => void this.#send());
  }

  async #send(): Promise<void> {
    const decided = this.#decided;
    this.#decided = [];
    const answers = await this.#ask(decided.map(({ change }) => change));
    for (let i = 0; i < decided.length; i += 1) {
      if (answers === undefined) void this.#repeat(decided[i]!); // B2
      else decided[i]!.answered(answers[i]);
    }
  }

  async #ask(changes: readonly Change[]): Promise<readonly ChangeAnswer[] | undefined> {
    try {
      return await this.#ledger.commit(changes);
    } catch (error) {
      this.#availability.report(error);
      return undefined;
    }
  }

  async #repeat(decided: Decided): Promise<void> {
    await this.#availability.whenUp();
    await this.#availability
      .persist(() => this.#ledger.commit([decided.change]))
      .then(
        (answers) => decided.answered(answers?.[0]),
        (error: unknown) => decided.failed(error),
      );
  }
}
