// Our own scripts, called raw: what the ledger sends for one job is recorded once, and then sent again and again with other
// keys, nonces and fences, in batches of the same size. Beside it one sees what the ledger's client costs.

import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { Batch } from './batch.js';
import type { Claimer } from './claimer.js';
import { ledgerClaimer } from './ledger-claimer.js';

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
const HASH_BYTES = 16;
const FENCE_AT = 9; // in the answer to a claim that started a record: after a letter and the time

/** A call as the ledger made it: its script, its one key, and what it asks. */
interface Recorded {
  readonly sha: string;
  readonly key: Buffer;
  readonly ask: Buffer;
}

/** Opens a client, on a server that knows the scripts. */
export async function ownScriptsClaimer(url: string): Promise<Claimer> {
  const { calls, fence } = await record(url);
  const [claim, finish] = calls;
  const client = new Redis(url, { lazyConnect: true });
  await client.connect();
  const nonceIn = placesOf(claim!.ask);
  const nonceInFinish = placesOf(finish!.ask);
  const fenceInFinish = finish!.ask.indexOf(doubleOf(fence));
  const claims = batchOf(client, claim!);
  const ends = batchOf(client, finish!);
  return {
    async claim(id) {
      const answer = await claims.ask({ key: keyOf(claim!, id), ask: withNonce(claim!.ask, nonceIn) });
      if (answer[0] !== 'N'.charCodeAt(0)) throw new Error(`The claim was answered: ${answer.toString('latin1')}.`);
      return answer.readDoubleLE(FENCE_AT);
    },
    async finish(id, held) {
      const ask = withNonce(finish!.ask, nonceInFinish);
      ask.writeDoubleLE(held, fenceInFinish);
      const answer = await ends.ask({ key: keyOf(finish!, id), ask });
      if (answer.toString() !== 'O') throw new Error(`The end was answered: ${answer.toString('latin1')}.`);
    },
    close: async () => client.disconnect(),
  };
}

/** What the ledger sends for one job. */
async function record(url: string): Promise<{ calls: readonly Recorded[]; fence: number }> {
  const calls: Recorded[] = [];
  const callBuffer = Reflect.get(Redis.prototype, 'callBuffer');
  const recording = function (this: Redis, command: string, args: [string, number, Buffer, Buffer]) {
    const [sha, , key, ask] = args;
    if (command === 'EVALSHA') calls.push({ sha, key, ask });
    return callBuffer.call(this, command, args as unknown as Buffer);
  };
  Redis.prototype.callBuffer = recording as unknown as typeof callBuffer;
  try {
    const ledger = await ledgerClaimer(url);
    const fence = await ledger.claim('recorded');
    await ledger.finish('recorded', fence);
    await ledger.close();
    return { calls, fence };
  } finally {
    Redis.prototype.callBuffer = callBuffer;
  }
}

function batchOf(client: Redis, { sha }: Recorded): Batch<{ key: Buffer; ask: Buffer }, Buffer> {
  return new Batch(async (asked) => {
    const keys = asked.map(({ key }) => key);
    const ask = Buffer.concat(asked.map((one) => one.ask));
    return (await client.callBuffer('EVALSHA', sha, keys.length, ...keys, ask)) as Buffer[];
  });
}

/** A key of a job's own, in one bucket or another. */
function keyOf({ key }: Recorded, id: string): Buffer {
  const own = Buffer.from(key);
  const number = Number(id.slice(id.indexOf('-') + 1));
  own.write((number % 256).toString(16).padStart(2, '0'), own.indexOf('{') + 1, 'latin1');
  own.writeDoubleLE(number, own.length - HASH_BYTES);
  return own;
}

function placesOf(ask: Buffer): readonly number[] {
  return Array.from(ask.toString('latin1').matchAll(UUID), ({ index }) => index);
}

function withNonce(ask: Buffer, places: readonly number[]): Buffer {
  const own = Buffer.from(ask);
  const nonce = randomUUID();
  for (const place of places) own.write(nonce, place, 'latin1');
  return own;
}

function doubleOf(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}
