// Our own scripts, called raw: what somebody writes by hand who knows these scripts and this one kind of job. What the ledger
// sends for one job is recorded once; for each job a copy of it gets that job's own key (hashed, as key names say nothing of a
// job), id, times, nonce and fence, and goes out in batches of the same size, and its answer is read. Beside it one sees what
// the ledger's client costs that takes any record, knows clusters, failovers and full memory, and remembers what it wrote.

import { hash, randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { Batch } from './batch.js';
import { type Claimer, KEPT_MS } from './claimer.js';
import { ledgerClaimer } from './ledger-claimer.js';

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
const HASH_BYTES = 16;
const FENCE_AT = 9; // in the answer to a claim that started a record: after a letter and the time
const RECORDED = 'job-00000000'; // as long as every id

/** A call as the ledger made it: its script, its one key, what it asks, and where in that stands what each job has of its own. */
interface Recorded {
  readonly sha: string;
  readonly key: Buffer;
  readonly ask: Buffer;
  readonly ids: readonly number[];
  readonly nonces: readonly number[];
  /** Places of times, and how much later than now they are, in milliseconds. */
  readonly times: readonly (readonly [at: number, laterMs: number])[];
}

/** Opens a client, on a server that knows the scripts. */
export async function ownScriptsClaimer(url: string): Promise<Claimer> {
  const { calls, fence } = await record(url);
  const [claim, finish] = calls;
  const client = new Redis(url, { lazyConnect: true });
  await client.connect();
  const fenceInFinish = finish!.ask.indexOf(doubleOf(fence));
  const claims = batchOf(client, claim!);
  const ends = batchOf(client, finish!);
  return {
    async claim(id) {
      const answer = await claims.ask({ key: keyOf(claim!, id), ask: askFor(claim!, id) });
      if (answer[0] !== 'N'.charCodeAt(0)) throw new Error(`The claim was answered: ${answer.toString('latin1')}.`);
      return answer.readDoubleLE(FENCE_AT);
    },
    async finish(id, held) {
      const ask = askFor(finish!, id);
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
  const from = Date.now();
  const recording = function (this: Redis, command: string, args: [string, number, Buffer, Buffer]) {
    if (command === 'EVALSHA') calls.push(recorded(args, from));
    return callBuffer.call(this, command, args as unknown as Buffer);
  };
  Redis.prototype.callBuffer = recording as unknown as typeof callBuffer;
  try {
    const ledger = await ledgerClaimer(url);
    const fence = await ledger.claim(RECORDED);
    await ledger.finish(RECORDED, fence);
    await ledger.close();
    return { calls, fence };
  } finally {
    Redis.prototype.callBuffer = callBuffer;
  }
}

function recorded([sha, , key, ask]: [string, number, Buffer, Buffer], from: number): Recorded {
  const text = ask.toString('latin1');
  const places = (pattern: RegExp) => Array.from(text.matchAll(pattern), ({ index }) => index);
  const times = Array.from({ length: ask.length - 7 }, (_, at) => at).flatMap((at) =>
    [-1000, 0, KEPT_MS].flatMap((laterMs) => {
      const now = ask.readDoubleLE(at) - laterMs;
      return now >= from && now <= Date.now() ? [[at, laterMs] as const] : [];
    }),
  );
  return { sha, key, ask, ids: places(new RegExp(RECORDED, 'g')), nonces: places(UUID), times };
}

function batchOf(client: Redis, { sha }: Recorded): Batch<{ key: Buffer; ask: Buffer }, Buffer> {
  return new Batch(async (asked) => {
    const keys = asked.map(({ key }) => key);
    const ask = Buffer.concat(asked.map((one) => one.ask));
    return (await client.callBuffer('EVALSHA', sha, keys.length, ...keys, ask)) as Buffer[];
  });
}

/** A job's own key, in one bucket or another. */
function keyOf({ key }: Recorded, id: string): Buffer {
  const own = Buffer.from(key);
  const digest = hash('sha256', `job\0${id}\0${id}`, 'binary');
  own.write(digest.charCodeAt(0).toString(16).padStart(2, '0'), own.indexOf('{') + 1, 'latin1');
  own.write(digest, own.length - HASH_BYTES, HASH_BYTES, 'latin1');
  return own;
}

/** What is asked for a job: what was asked for the recorded one, with its own id, nonce and times. */
function askFor({ ask, ids, nonces, times }: Recorded, id: string): Buffer {
  const own = Buffer.from(ask);
  const nonce = randomUUID();
  const now = Date.now();
  for (const place of nonces) own.write(nonce, place, 'latin1');
  for (const place of ids) own.write(id, place, 'latin1');
  for (const [place, laterMs] of times) own.writeDoubleLE(now + laterMs, place);
  return own;
}

function doubleOf(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}
