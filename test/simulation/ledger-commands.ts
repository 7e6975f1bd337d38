// Ledger commands: random calls on two kinds of ledger, whose answers and records must agree.
//
// L1  Both answer every command alike, to the last field, and hold the same records after it. What a cursor looks like, how far
//     a page goes, and in which order records of a list or of one moment come, is each ledger's own business.
// L2  Nobody writes a settled record whose retention has ended already: how long that is seen within a call is not said.
// L3  Commands are drawn from what stands in the records, so that most hit something and many are slightly wrong.

import type {
  Change,
  Claim,
  Expectation,
  Ledger,
  LedgerRecord,
  Page,
  Random,
  RecordContent,
  RecordKey,
  Renewal,
  Write,
} from '@carillon/core/spi';
import { seededRandom, type VirtualClock } from '@carillon/testing';
import { expect } from 'vitest';

const STEPS = 150;
const QUEUES = ['default', 'bulk'] as const;
const TASKS = ['mail', 'post'] as const;
const STATES = ['scheduled', 'done', 'dead'] as const;
const KEYS: readonly RecordKey[] = [
  ...['a', 'b', 'c', 'd'].map((id) => ({ kind: 'job', id, partition: '0a' })),
  ...['a', 'b'].map((id) => ({ kind: 'key', id, partition: '0a' })),
  ...['e', 'f'].map((id) => ({ kind: 'job', id, partition: '0b' })),
];
const SHORT_MS = 20;
const SECOND_MS = 1_000;
const LONG_MS = 60_000;

/** One call on both ledgers; `ask` gives what is compared. */
interface Command {
  readonly name: string;
  readonly arguments: unknown;
  readonly ask: (ledger: Ledger) => Promise<unknown>;
}

/** Performs random commands on models and ledgers, two handles of each, and expects them to agree (L1). */
export async function compareLedgers(
  seed: number,
  clock: VirtualClock,
  models: readonly Ledger[],
  ledgers: readonly Ledger[],
): Promise<void> {
  const draw = new Draw(seededRandom(seed));
  let last: Command | undefined;
  for (let step = 1; step <= STEPS; step += 1) {
    const repeated: Command | undefined = draw.chance(0.12) ? last : undefined;
    await clock.advance(draw.of(repeated ? [1, SHORT_MS] : [1, 1, SHORT_MS, SECOND_MS, LONG_MS]));
    const records = (await models[0]!.read(KEYS)).flatMap((record) => record ?? []);
    const command: Command = repeated ?? drawCommand(draw, records, clock.now(), `${seed}-${step}`);
    last = command;

    const handle = draw.of([0, 1]);
    const where = `seed ${seed}, step ${step}: ${command.name} ${JSON.stringify(command.arguments)}`;
    const expected = await command.ask(models[handle]!);
    expect(await command.ask(ledgers[handle]!), where).toEqual(expected);
    const other = draw.of([0, 1]);
    expect(await ledgers[other]!.read(KEYS), `the records after ${where}`).toEqual(await models[other]!.read(KEYS));
  }
}

function drawCommand(draw: Draw, records: readonly LedgerRecord[], now: number, nonce: string): Command {
  const command = (name: keyof Ledger, args: unknown, ask: Command['ask']): Command => ({ name, arguments: args, ask });
  const chance = draw.number();
  if (chance < 0.3) {
    const claims = draw.some(1, 3, (index) => drawClaim(draw, now, `${nonce}.${index}`));
    return command('acquire', claims, (ledger) => ledger.acquire(claims));
  }
  if (chance < 0.4) {
    const renewals = draw.some(1, 3, () => drawRenewal(draw, records));
    return command('renew', renewals, (ledger) => ledger.renew(renewals));
  }
  if (chance < 0.85) {
    const changes = draw.some(1, 3, (index) => drawChange(draw, records, now, `${nonce}.${index}`));
    return command('commit', changes, (ledger) => ledger.commit(changes));
  }
  if (chance < 0.92) {
    const query = {
      queues: draw.subset(QUEUES),
      before: now + draw.of([-LONG_MS, 0, LONG_MS]),
      limit: draw.of([1, 3, 100]),
    };
    return command('due', query, async (ledger) => {
      const records = await pages((cursor) => ledger.due({ ...query, ...cursor }));
      return { order: records.map(attentionAt), records: byId(records) };
    });
  }
  if (chance < 0.99) {
    const query = {
      kind: draw.of(['job', 'key']),
      limit: draw.of([1, 3, 100]),
      ...(draw.chance(0.3) && { task: draw.of(TASKS) }),
      ...(draw.chance(0.3) && { queue: draw.of(QUEUES) }),
      ...(draw.chance(0.3) && { states: draw.subset(STATES) }),
      ...(draw.chance(0.3) && { idPrefix: draw.of(['a', 'b', '']) }),
      ...(draw.chance(0.3) && { dueFrom: now - draw.of([0, SHORT_MS, LONG_MS]) }),
      ...(draw.chance(0.3) && { dueBefore: now + draw.of([0, SHORT_MS, LONG_MS]) }),
    };
    return command('list', query, async (ledger) =>
      byId(await pages((cursor) => ledger.list({ ...query, ...cursor }))),
    );
  }
  return command('now', undefined, (ledger) => ledger.now());
}

function drawClaim(draw: Draw, now: number, nonce: string): Claim {
  return {
    key: draw.of(KEYS),
    generation: draw.of([1, 1, 2, 3]),
    holder: draw.of(['engine-1', 'engine-2']),
    nonce,
    leaseMs: draw.of([SHORT_MS, LONG_MS]),
    ...(draw.chance(0.2) && { create: drawContent(draw, now, nonce) }),
  };
}

function drawRenewal(draw: Draw, records: readonly LedgerRecord[]): Renewal {
  const key = draw.of(KEYS);
  return { key, fence: drawFence(draw, standing(records, key)), leaseMs: draw.of([SHORT_MS, LONG_MS]) };
}

/** Writes of one partition, each of another record. */
function drawChange(draw: Draw, records: readonly LedgerRecord[], now: number, nonce: string): Change {
  const { partition } = draw.of(KEYS);
  const keys = draw.subset(KEYS.filter((key) => key.partition === partition));
  const writes = keys.slice(0, 3).map((key) => drawWrite(draw, key, standing(records, key), now, nonce));
  return { nonce, writes, durable: draw.chance(0.5) };
}

function drawWrite(draw: Draw, key: RecordKey, record: LedgerRecord | undefined, now: number, nonce: string): Write {
  const asked = drawExpectation(draw, record);
  const chance = draw.number();
  if (chance < 0.6) {
    const content = drawContent(draw, now, nonce);
    return { do: 'put', key, expect: asked, content, ...(draw.chance(0.3) && { keepLease: draw.chance(0.7) }) };
  }
  if (chance < 0.7) return { do: 'remove', key, expect: asked };
  if (chance < 0.8) return { do: 'check', key, expect: asked };
  const messages = record?.outbox.map(({ message }) => message.id) ?? [];
  return { do: 'sent', key, messages: [...messages, 'unknown'].filter(() => draw.chance(0.7)) };
}

/** Mostly what holds, sometimes what is slightly wrong (L3). */
function drawExpectation(draw: Draw, record: LedgerRecord | undefined): Expectation {
  if (draw.chance(0.1)) return { any: true };
  if (record === undefined ? draw.chance(0.9) : draw.chance(0.1)) return { absent: true };
  const version = (record?.version ?? 1) - (draw.chance(0.1) ? 1 : 0);
  return draw.chance(0.5) ? { version } : { version, fence: drawFence(draw, record) };
}

function drawFence(draw: Draw, record: LedgerRecord | undefined): number {
  const fence = record?.fence ?? 0;
  return draw.chance(0.85) ? fence : Math.max(0, fence - 1);
}

function drawContent(draw: Draw, now: number, nonce: string): RecordContent {
  const open = draw.chance(0.75);
  const at = now + draw.of([-LONG_MS, -1, 0, 1, SHORT_MS, LONG_MS, 400 * LONG_MS]);
  return {
    generation: draw.of([1, 1, 2]),
    queue: draw.of(QUEUES),
    task: draw.of(TASKS),
    state: draw.of(STATES),
    dueAt: now + draw.of([-LONG_MS, 0, SHORT_MS]),
    wakeAt: open ? at : undefined,
    expiresAt: open ? draw.of([undefined, now + LONG_MS]) : draw.of([undefined, now + SECOND_MS, now + LONG_MS]), // L2
    durableGrant: draw.chance(0.2),
    body: JSON.stringify({ nonce, text: 'ä'.repeat(draw.of([0, 1, 500])) }),
    outbox: ['x', 'y']
      .filter(() => draw.chance(0.3))
      .map((name) => ({
        message: { id: `${nonce}-${name}`, queue: 'default', body: new Uint8Array([0, 255]), deliverAt: at },
        wakeAt: at + 1,
      })),
  };
}

function standing(records: readonly LedgerRecord[], { kind, id }: RecordKey): LedgerRecord | undefined {
  return records.find(({ key }) => key.kind === kind && key.id === id);
}

/** The records of all pages. */
async function pages(page: (cursor: { cursor?: string }) => Promise<Page>): Promise<readonly LedgerRecord[]> {
  const records: LedgerRecord[] = [];
  let cursor: { cursor?: string } | undefined = {};
  while (cursor !== undefined) {
    const next: Page = await page(cursor);
    records.push(...next.records);
    cursor = next.cursor === undefined ? undefined : { cursor: next.cursor };
  }
  return records;
}

function byId(records: readonly LedgerRecord[]): readonly LedgerRecord[] {
  return records.toSorted((one, other) => (nameOf(one) < nameOf(other) ? -1 : 1));
}

function nameOf({ key }: LedgerRecord): string {
  return `${key.id} ${key.kind}`;
}

/** When an open record wants attention, as the port says it: at its `wakeAt`, but not before the end of its lease. */
function attentionAt({ wakeAt, lease }: LedgerRecord): number | undefined {
  return wakeAt === undefined ? undefined : Math.max(lease?.until ?? 0, wakeAt);
}

/** Draws from one stream of random numbers. */
class Draw {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  number(): number {
    return this.#random.next();
  }

  chance(probability: number): boolean {
    return this.number() < probability;
  }

  of<const T>(things: readonly T[]): T {
    return things[Math.floor(this.number() * things.length)]!;
  }

  subset<T>(things: readonly T[]): readonly T[] {
    const chosen = things.filter(() => this.chance(0.5));
    return chosen.length > 0 ? chosen : [this.of(things)];
  }

  some<T>(from: number, to: number, one: (index: number) => T): readonly T[] {
    return Array.from({ length: from + Math.floor(this.number() * (to - from + 1)) }, (_, index) => one(index));
  }
}
