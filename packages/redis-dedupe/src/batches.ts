// Batches: gathers what is asked at the same time into few calls.
//
// B1  What comes while nothing is on its way goes out in the same turn of the event loop; what comes meanwhile waits for
//     the answer, for `WINDOW_MS`, or until a batch is full, whichever is first.
// B2  Requests go out in the order in which they came, and each gets its own answer.
// B3  A batch is small enough not to hold up the server: at most `MOST` requests, and few large ones.

/** How many requests one call carries at most. */
export const MOST = 64;
const MOST_BYTES = 512 * 1024;
const WINDOW_MS = 1;

/** One request to a script. */
export interface Request {
  readonly keys: readonly Buffer[];
  /** What it asks of them, packed. */
  readonly ask: Buffer;
  /** What it writes must be as safe as the ledger promises before it is answered. */
  readonly durable?: boolean;
}

interface Ticket {
  readonly answers: Buffer[];
  left: number;
  readonly resolve: (answers: readonly Buffer[]) => void;
  readonly reject: (reason: unknown) => void;
}

interface Waiting {
  readonly request: Request;
  readonly ticket: Ticket;
  readonly index: number;
}

/** Gathers requests to one script in one place. */
export class Batches {
  readonly #run: (requests: readonly Request[]) => Promise<readonly Buffer[]>;
  #waiting: Waiting[] = [];
  #inFlight = 0;
  #soon = false;
  #timer: NodeJS.Timeout | undefined;

  /** `run` performs a batch and answers each request of it. */
  constructor(run: (requests: readonly Request[]) => Promise<readonly Buffer[]>) {
    this.#run = run;
  }

  /** Asks some requests, which stay in their order. */
  ask(requests: readonly Request[]): Promise<readonly Buffer[]> {
    return new Promise((resolve, reject) => {
      const ticket: Ticket = { answers: [], left: requests.length, resolve, reject };
      for (let index = 0; index < requests.length; index += 1)
        this.#waiting.push({ request: requests[index]!, ticket, index });
      while (this.#waiting.length >= MOST) this.#send();
      if (this.#waiting.length > 0) this.#schedule();
    });
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
    const batch = this.#waiting.splice(0, fitting(this.#waiting));
    this.#inFlight += 1;
    void this.#run(batch.map(({ request }) => request)).then(
      (answers) => {
        this.#landed();
        for (let position = 0; position < batch.length; position += 1) {
          const { ticket, index } = batch[position]!;
          ticket.answers[index] = answers[position]!;
          ticket.left -= 1;
          if (ticket.left === 0) ticket.resolve(ticket.answers);
        }
      },
      (reason: unknown) => {
        this.#landed();
        for (const { ticket } of batch) ticket.reject(reason);
      },
    );
  }

  #landed(): void {
    this.#inFlight -= 1;
    if (this.#inFlight === 0 && this.#waiting.length > 0) this.#flush();
  }
}

/** How many of the waiting requests make one batch (B3). */
function fitting(waiting: readonly Waiting[]): number {
  let bytes = 0;
  for (let count = 0; count < waiting.length; count += 1) {
    bytes += waiting[count]!.request.ask.length;
    if (count === MOST || (count > 0 && bytes > MOST_BYTES)) return count;
  }
  return waiting.length;
}
