// The store alone: the writes that a durable job needs, on LMDB, without an engine: what ours is held against.
//
// B1  A promise resolves after the transaction that holds its change is on disk (the commit flushes before it returns).
// B2  One transaction takes everything that gathered: what is scheduled, the last batch's completions, the next claims.

import type { Database, RootDatabase } from 'lmdb';
import { open } from 'lmdb';
import { folderSize } from './folder-size.js';
import type { Payload, System, SystemEntry, WorkOptions } from './system.js';

const BINARY = { encoding: 'binary', keyEncoding: 'binary' } as const;
const HEAD_BYTES = 40; // of the record; the payload follows
const ID_BYTES = 8;
const LEASE_MS = 30_000;
const NONE = Buffer.alloc(0);
const FIRST = Buffer.alloc(1);
const STATE = { pending: 0, claimed: 1, done: 2 } as const;

type Table = Database<Buffer, Buffer>;
type Claimed = { readonly id: Buffer; readonly record: Buffer; readonly lease: Buffer };
type Waiting = { readonly record: Buffer; readonly dueAt: number; readonly resolve: () => void };

class BareStore implements System {
  readonly #folder: string;
  readonly #env: RootDatabase<Buffer, Buffer>;
  readonly #records: Table;
  readonly #due: Table;
  readonly #leases: Table;
  readonly #retention: Table;
  #lastId = 0;
  #waiting: Waiting[] = [];
  #finished: Claimed[] = [];
  #running = false;
  #asked = false;
  #closed = false;
  #options: WorkOptions | undefined;
  #alarm: NodeJS.Timeout | undefined;

  constructor(folder: string) {
    this.#folder = folder;
    this.#env = open<Buffer, Buffer>({ path: folder, ...BINARY, maxDbs: 8 });
    const table = (name: string) => this.#env.openDB<Buffer, Buffer>(name, BINARY);
    [this.#records, this.#due, this.#leases, this.#retention] = [
      table('records'),
      table('due'),
      table('leases'),
      table('old'),
    ];
  }

  schedule({ dueAt, text }: Payload): Promise<void> {
    const payload = JSON.stringify({ dueAt, text });
    const record = Buffer.allocUnsafe(HEAD_BYTES + Buffer.byteLength(payload));
    record.fill(0, 0, HEAD_BYTES);
    record.writeDoubleBE(dueAt, 1);
    record.write(payload, HEAD_BYTES);
    return new Promise((resolve) => {
      this.#waiting.push({ record, dueAt, resolve });
      this.#wake();
    });
  }

  async scheduleMany(payloads: readonly Payload[]): Promise<void> {
    for (let at = 0; at < payloads.length; at += 1000) {
      await Promise.all(payloads.slice(at, at + 1000).map((payload) => this.schedule(payload)));
    }
  }

  async work(options: WorkOptions): Promise<void> {
    this.#options = options;
    this.#wake();
  }

  async footprint() {
    return { serverRamBytes: 0, diskBytes: folderSize(this.#folder) };
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#alarm);
    while (this.#running) await turn();
    await this.#env.close();
  }

  #wake(): void {
    this.#asked = true;
    if (this.#running || this.#closed) return;
    this.#running = true;
    queueMicrotask(() => void this.#run());
  }

  async #run(): Promise<void> {
    let claimed: Claimed[];
    do {
      this.#asked = false;
      claimed = this.#commit();
      for (const { record } of claimed)
        this.#options?.started(JSON.parse(record.toString('utf8', HEAD_BYTES)) as Payload);
      this.#finished.push(...claimed);
      await turn();
    } while (!this.#closed && (this.#asked || this.#finished.length > 0));
    this.#running = false;
  }

  /** One transaction (B2). */
  #commit(): Claimed[] {
    const [waiting, finished] = [this.#waiting, this.#finished];
    [this.#waiting, this.#finished] = [[], []];
    const claimed: Claimed[] = [];
    const now = Date.now();
    this.#env.transactionSync(() => {
      for (const { record, dueAt } of waiting) this.#insert(record, dueAt);
      for (const job of finished) this.#complete(job, now);
      if (this.#options) this.#claim(claimed, now, this.#options.concurrency);
    });
    for (const { resolve } of waiting) resolve();
    for (let count = finished.length; count > 0; count -= 1) this.#options?.completed();
    return claimed;
  }

  #insert(record: Buffer, dueAt: number): void {
    const id = Buffer.allocUnsafe(ID_BYTES);
    id.writeUIntBE((this.#lastId += 1), 2, 6);
    id.writeUInt16BE(0);
    this.#records.putSync(id, record);
    this.#due.putSync(timeKey(dueAt, id), NONE);
  }

  #complete({ id, record, lease }: Claimed, now: number): void {
    record[0] = STATE.done;
    this.#records.putSync(id, record);
    this.#leases.removeSync(lease);
    this.#retention.putSync(timeKey(now, id), NONE);
  }

  /** Claims what is due, and sets the alarm for what is due next. */
  #claim(claimed: Claimed[], now: number, most: number): void {
    clearTimeout(this.#alarm);
    const first = Array.from(this.#due.getKeys({ start: FIRST, limit: most })); // the loop changes the table
    for (const key of first) {
      const dueAt = key.readDoubleBE(0);
      if (dueAt > now) {
        this.#alarm = setTimeout(() => this.#wake(), Math.min(dueAt - now, 10_000));
        return;
      }
      const id = key.subarray(ID_BYTES);
      const stored = this.#records.getBinaryFast(id)!; // one shared buffer: valid until the next read
      const record = Buffer.allocUnsafe(stored.length);
      record.set(stored.subarray(0, stored.length));
      record[0] = STATE.claimed;
      const lease = timeKey(now + LEASE_MS, id);
      this.#records.putSync(id, record);
      this.#due.removeSync(key);
      this.#leases.putSync(lease, NONE);
      claimed.push({ id, record, lease });
    }
  }
}

function timeKey(time: number, id: Buffer): Buffer {
  const key = Buffer.allocUnsafe(8 + ID_BYTES);
  key.writeDoubleBE(time);
  key.set(id, 8);
  return key;
}

const turn = () => new Promise(setImmediate);

export const bareStore: SystemEntry = { needs: 'nothing', open: async ({ folder }) => new BareStore(folder) };
