// Lanes: the batches of one kind of call to the ledger.
//
// R1  What is asked of one bucket stays in its order; in a Cluster each bucket has batches of its own, elsewhere all share.

import { type Batch, Batches, type Call } from './batches.js';
import type { Connection } from './connection.js';
import type { Script } from './script.js';

/** A kind of call of which each is about one bucket. */
export interface BucketCall<Asked, Answer> extends Call<Asked, Answer> {
  readonly script: Script;
  bucket(asked: Asked): number;
}

/** Asks a script, in few calls. */
export class Lanes<Asked, Answer> {
  readonly #connection: Connection;
  readonly #call: BucketCall<Asked, Answer>;
  readonly #lanes = new Map<number, Batches<Asked, Answer>>();

  constructor(connection: Connection, call: BucketCall<Asked, Answer>) {
    this.#connection = connection;
    this.#call = call;
  }

  /** Answers each in its place; rejects with `E_STOPPED` if the connection is closed. */
  ask(asked: readonly Asked[]): Promise<readonly Answer[]> {
    if (!this.#connection.isOpen || asked.length === 0 || this.#connection.scattered) return this.#askEach(asked);
    return this.#lane(0).ask(asked); // no promise but this one stands between a call and the socket
  }

  async #askEach(asked: readonly Asked[]): Promise<readonly Answer[]> {
    void this.#connection.client; // throws if it is closed
    const buckets = asked.map((one) => this.#call.bucket(one));
    const answers: Answer[] = [];
    await Promise.all(
      Array.from(new Set(buckets), async (bucket) => {
        const indexes = [...asked.keys()].filter((index) => buckets[index] === bucket);
        const own = await this.#lane(bucket).ask(indexes.map((index) => asked[index]!));
        for (const [position, index] of indexes.entries()) answers[index] = own[position]!;
      }),
    );
    return answers;
  }

  #lane(bucket: number): Batches<Asked, Answer> {
    let lane = this.#lanes.get(bucket);
    if (lane === undefined) this.#lanes.set(bucket, (lane = new Batches(this.#call, (batch) => this.#run(batch))));
    return lane;
  }

  #run({ keys, asks, durable }: Batch): Promise<readonly Buffer[]> {
    return this.#connection.run(this.#call.script, keys, [asks], durable) as Promise<Buffer[]>;
  }
}
