// Batches: gathers what is asked at the same time into few calls.
//
// B1  What comes while nothing is on its way goes out in the same turn of the event loop; what comes meanwhile waits for
//     the answer, for `WINDOW_MS`, or until a batch is full, whichever is first. It is packed as it comes, into one draft.
// B2  Requests go out in the order in which they came, and each gets its own answer.
// B3  A batch is small enough not to hold up the server: at most `MOST` requests, and few large ones.

import { Packer } from './packer.js';

/** How many requests one call carries at most. */
export const MOST = 64;
const MOST_BYTES = 512 * 1024;
const WINDOW_MS = 1;

/** Requests that are not on their way yet: their keys, and what they ask of them. */
export interface Draft {
  readonly keys: Buffer[];
  readonly asks: Packer;
}

/** Requests that go out together. */
export interface Batch {
  readonly keys: readonly Buffer[];
  readonly asks: Buffer;
  /** What is written must be as safe as the ledger promises before it is answered. */
  readonly durable: boolean;
}

/** One kind of call: how it asks, and what it is answered. */
export interface Call<Asked, Answer> {
  /** Adds a request to a draft; what it has added is taken back if it throws. */
  draft(draft: Draft, asked: Asked): void;
  /** Whether what it writes must be safe before it is answered; by default it need not be. */
  isDurable?(asked: Asked): boolean;
  answer(asked: Asked, bytes: Buffer): Answer;
}

/** What one caller asks together, and is answered together. */
interface Ticket<Asked, Answer> {
  readonly asked: readonly Asked[];
  readonly answers: Answer[];
  left: number;
  readonly resolve: (answers: readonly Answer[]) => void;
  readonly reject: (reason: unknown) => void;
}

interface Waiting<Asked, Answer> {
  readonly ticket: Ticket<Asked, Answer>;
  readonly index: number;
  /** How much of the draft is its own. */
  readonly keys: number;
  readonly bytes: number;
}

/** Gathers requests to one script in one place. */
export class Batches<Asked, Answer> {
  readonly #call: Call<Asked, Answer>;
  readonly #run: (batch: Batch) => Promise<readonly Buffer[]>;
  #waiting: Waiting<Asked, Answer>[] = [];
  #keys: Buffer[] = [];
  readonly #asks = new Packer();
  #inFlight = 0;
  #soon = false;
  #timer: NodeJS.Timeout | undefined;

  /** `run` performs a batch and answers each request of it. */
  constructor(call: Call<Asked, Answer>, run: (batch: Batch) => Promise<readonly Buffer[]>) {
    this.#call = call;
    this.#run = run;
  }

  /** Asks some requests, which stay in their order; rejects, and asks nothing, if one of them can't be made. */
  ask(asked: readonly Asked[]): Promise<readonly Answer[]> {
    return new Promise((resolve, reject) => {
      this.#draft({ asked, answers: [], left: asked.length, resolve, reject });
      while (this.#waiting.length >= MOST) this.#send();
      if (this.#waiting.length > 0) this.#schedule();
    });
  }

  #draft(ticket: Ticket<Asked, Answer>): void {
    const draft = { keys: this.#keys, asks: this.#asks };
    const { length: waiting } = this.#waiting;
    const { length: allKeys } = draft.keys;
    const { length: allBytes } = draft.asks;
    try {
      for (let index = 0; index < ticket.asked.length; index += 1) {
        const { length: keys } = draft.keys;
        const { length: bytes } = draft.asks;
        this.#call.draft(draft, ticket.asked[index]!);
        this.#waiting.push({ ticket, index, keys: draft.keys.length - keys, bytes: draft.asks.length - bytes });
      }
    } catch (error) {
      this.#waiting.length = waiting;
      draft.keys.length = allKeys;
      draft.asks.backTo(allBytes);
      throw error;
    }
  }

  #schedule(): void {
    if (this.#inFlight === 0) {
      if (this.#soon) return;
      this.#soon = true;
      setImmediate(() => {
        this.#soon = false;
        this.#flush();
      });
    } else {
      this.#timer ??= setTimeout(() => this.#flush(), WINDOW_MS);
    }
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#waiting.length > 0) this.#send();
  }

  #send(): void {
    const batch = this.#waiting;
    this.#waiting = batch.splice(fitting(batch));
    let keyCount = 0;
    let bytes = 0;
    let durable = false;
    for (const one of batch) {
      keyCount += one.keys;
      bytes += one.bytes;
      durable ||= this.#call.isDurable?.(one.ticket.asked[one.index]!) === true;
    }
    const keys = this.#keys;
    this.#keys = keys.splice(keyCount);
    this.#inFlight += 1;
    void this.#run({ keys, asks: this.#asks.take(bytes), durable }).then(
      (answers) => {
        this.#landed();
        for (let position = 0; position < batch.length; position += 1)
          this.#answer(batch[position]!, answers[position]!);
      },
      (reason: unknown) => {
        this.#landed();
        for (const { ticket } of batch) ticket.reject(reason);
      },
    );
  }

  #answer({ ticket, index }: Waiting<Asked, Answer>, bytes: Buffer): void {
    try {
      ticket.answers[index] = this.#call.answer(ticket.asked[index]!, bytes);
    } catch (error) {
      ticket.reject(error); // its own, not that of those who asked beside it
    }
    ticket.left -= 1;
    if (ticket.left === 0) ticket.resolve(ticket.answers);
  }

  #landed(): void {
    this.#inFlight -= 1;
    if (this.#inFlight === 0 && this.#waiting.length > 0) this.#flush();
  }
}

/** How many of the waiting requests make one batch (B3). */
function fitting(waiting: readonly { readonly bytes: number }[]): number {
  let bytes = 0;
  for (let count = 0; count < waiting.length; count += 1) {
    bytes += waiting[count]!.bytes;
    if (count === MOST || (count > 0 && bytes > MOST_BYTES)) return count;
  }
  return waiting.length;
}
