// Group commit: serves everything that is asked for meanwhile in one transaction, and answers when that has counted.
//
// B1  Work of one batch runs in the order commits, renewals, claims, receives: completing jobs and claiming the next is
//     one transaction.
// B2  Nothing is answered before its transaction is committed; a batch with durable work in it is durable by then.
// B3  Work that throws is refused alone: the batch is run again without it.
// B4  No kind of work waits for another: every batch takes some of each that waits.

import { CarillonError } from '@carillon/core/spi';

/** When within a batch something runs (B1). */
export const PHASE = { commit: 0, renew: 1, claim: 2, receive: 3, upkeep: 4 } as const;
type Phase = (typeof PHASE)[keyof typeof PHASE];

const MOST_PER_BATCH = 1000; // steps; keeps a transaction below some 10 ms

/** What a group commit needs of its store. */
export interface Committer {
  /** Runs steps in one transaction; what they throw undoes them. */
  transact(steps: () => void, durable: boolean): void;
  /** Called after each committed batch. */
  committed(): void;
  /** Calls back after everything that is ready now has run. */
  soon(wake: () => void): void;
}

interface Work {
  readonly run: () => unknown;
  readonly steps: number;
  readonly durable: boolean;
  readonly resolve: (answer: never) => void;
  readonly reject: (error: unknown) => void;
  answer: unknown;
}

/** The one writer of a store in this process. */
export class GroupCommit {
  readonly #committer: Committer;
  readonly #waiting: Work[][] = Object.values(PHASE).map(() => []);
  #count = 0;
  #scheduled = false;
  #idle: (() => void)[] = [];

  constructor(committer: Committer) {
    this.#committer = committer;
  }

  /** Whether a batch is about to run. */
  get busy(): boolean {
    return this.#count > 0;
  }

  /** Runs work in the next batch and answers with what it returned. `steps` says how much it is, about. */
  request<T>(phase: Phase, steps: number, durable: boolean, run: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting[phase]!.push({ run, steps, durable, resolve, reject, answer: undefined });
      this.#count += 1;
      if (!this.#scheduled) this.#schedule();
    });
  }

  /** Resolves when nothing is waiting any more. */
  drained(): Promise<void> {
    return this.#count === 0 ? Promise.resolve() : new Promise((resolve) => void this.#idle.push(resolve));
  }

  #schedule(): void {
    this.#scheduled = true;
    // Twice: who is told of ended work in this moment asks for more in the next, and both belong into one batch (B1).
    this.#committer.soon(() => this.#committer.soon(() => this.#next()));
  }

  #next(): void {
    this.#scheduled = false;
    this.#runBatch(this.#take());
    if (this.#count > 0 && !this.#scheduled) this.#schedule();
    if (this.#count === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** The next batch, in order (B1). */
  #take(): Work[] {
    const batch: Work[] = [];
    let steps = 0;
    for (const waiting of this.#waiting) {
      let taken = 0;
      // The first of each kind always goes along, so that no steady stream of one keeps another out (B4).
      while (taken < waiting.length && (taken === 0 || steps + waiting[taken]!.steps <= MOST_PER_BATCH)) {
        steps += waiting[taken]!.steps;
        batch.push(waiting[taken]!);
        taken += 1;
      }
      if (taken === waiting.length) waiting.length = 0;
      else waiting.splice(0, taken);
    }
    this.#count -= batch.length;
    return batch;
  }

  #runBatch(batch: readonly Work[]): void {
    let culprit: Work | undefined;
    try {
      this.#committer.transact(
        () => {
          for (let i = 0; i < batch.length; i += 1) {
            culprit = batch[i]!;
            culprit.answer = culprit.run();
          }
          culprit = undefined;
        },
        batch.some(({ durable }) => durable),
      );
    } catch (error) {
      if (culprit === undefined || isOfStore(error)) for (const work of batch) work.reject(error);
      else {
        culprit.reject(error); // B3
        const rest = batch.filter((work) => work !== culprit);
        if (rest.length > 0) this.#runBatch(rest);
      }
      return;
    }
    this.#committer.committed();
    for (let i = 0; i < batch.length; i += 1) batch[i]!.resolve(batch[i]!.answer as never);
  }
}

/** Whether the store itself has failed; a record that can't be read is the matter of whoever asked for it (B3). */
function isOfStore(error: unknown): boolean {
  return CarillonError.is(error) && error.code.startsWith('E_STORE') && error.code !== 'E_STORE_VERSION';
}
