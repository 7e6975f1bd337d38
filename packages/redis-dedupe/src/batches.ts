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

/** One kind of call: how it asks, and what it is answered. */
export interface Call<Asked, Answer> {
  request(asked: Asked): Request;
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
  readonly request: Request;
  readonly ticket: Ticket<Asked, Answer>;
  readonly index: number;
}

/** Gathers requests to one script in one place. */
export class Batches<Asked, Answer> {
  readonly #call: Call<Asked, Answer>;
  readonly #run: (requests: readonly Request[]) => Promise<readonly Buffer[]>;
  #waiting: Waiting<Asked, Answer>[] = [];
  #inFlight = 0;
  #soon = false;
  #timer: NodeJS.Timeout | undefined;

  /** `run` performs a batch and answers each request of it. */
  constructor(call: Call<Asked, Answer>, run: (requests: readonly Request[]) => Promise<readonly Buffer[]>) {
    this.#call = call;
    this.#run = run;
  }

  /** Asks some requests, which stay in their order; rejects, and asks nothing, if one of them can't be made. */
  ask(asked: readonly Asked[]): Promise<readonly Answer[]> {
    return new Promise((resolve, reject) => {
      const requests = asked.map((one) => this.#call.request(one));
      const ticket: Ticket<Asked, Answer> = { asked, answers: [], left: requests.length, resolve, reject };
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
    const batch = this.#waiting;
    this.#waiting = batch.splice(fitting(batch));
    this.#inFlight += 1;
    void this.#run(batch.map(({ request }) => request)).then(
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
function fitting(waiting: readonly { readonly request: Request }[]): number {
  let bytes = 0;
  for (let count = 0; count < waiting.length; count += 1) {
    bytes += waiting[count]!.request.ask.length;
    if (count === MOST || (count > 0 && bytes > MOST_BYTES)) return count;
  }
  return waiting.length;
}
