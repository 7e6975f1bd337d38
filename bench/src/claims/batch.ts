// Batch: the least there is to gather what is asked in one turn of the event loop into calls of 64.

const MOST = 64;

interface Waiting<Asked, Answer> {
  readonly asked: Asked;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (reason: unknown) => void;
}

/** Asks one script for all that is asked in one turn of the event loop. */
export class Batch<Asked, Answer> {
  #waiting: Waiting<Asked, Answer>[] = [];
  readonly #call: (asked: readonly Asked[]) => Promise<readonly Answer[]>;

  constructor(call: (asked: readonly Asked[]) => Promise<readonly Answer[]>) {
    this.#call = call;
  }

  ask(asked: Asked): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.push({ asked, resolve, reject }) === 1) setImmediate(() => this.#send());
    });
  }

  #send(): void {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MOST);
      this.#call(batch.map(({ asked }) => asked)).then(
        (answers) => batch.forEach(({ resolve }, index) => resolve(answers[index]!)),
        (reason: unknown) => batch.forEach(({ reject }) => reject(reason)),
      );
    }
  }
}
