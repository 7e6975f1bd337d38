// Random commands: what no one thought of. Seeded lists of calls run on the ledger and on a model, and after each call
// the answer and every record must agree. A failure names the seed and the step.

import { expect } from 'vitest';
import type { Change, Expectation, LedgerRecord, RecordContent, Random, Write } from '@carillon/core/spi';
import { seededRandom } from '../../seeded-random.js';
import type { Test } from '../suite.js';
import type { ProbedLedger } from './ledger-probe.js';
import { FAR_MS, jobKey, outboxEntry } from './ledger-probe.js';
import type { LedgerProbe } from './ledger-probe.js';
import { ModelLedger } from './model-ledger.js';
import type { ModelCommand, ModelContent, ModelExpectation, ModelWrite } from './model-ledger.js';

const SEEDS = 8;
const STEPS = 150;
const IDS = ['a', 'b', 'c'];
const SHORT_LEASE_MS = 10;
const key = (id: string) => jobKey(id, 'shared');

/** Seeded comparison with the model (L1 to L6 of ports/ledger.ts). */
export function randomCommands(test: Test<ProbedLedger>): void {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    test(`L1–L6: agrees with the model, seed ${seed}`, async ({ probe, advance, second }) => {
      const handles = second === undefined ? [probe] : [probe, probe.through(await second())];
      await run(handles, seededRandom(seed), advance, seed);
    });
  }
}

async function run(
  handles: readonly LedgerProbe[],
  random: Random,
  advance: (ms: number) => Promise<void>,
  seed: number,
): Promise<void> {
  const model = new ModelLedger();
  const fences = [0]; // by the model's number of the grant
  let last: ModelCommand | undefined;
  for (let step = 0; step < STEPS; step += 1) {
    const repeated = random.next() < 0.1 && last && isKnownAgain(last) ? last : undefined;
    const command = repeated ?? draw(random, model, `${seed}-${step}`);
    last = command;
    await advance(1); // the fence of a record that is gone tells itself from a new one's by the time
    const where = `seed ${seed}, step ${step}: ${JSON.stringify(command)}`;
    const probe = pick(random, handles);

    const grants = model.grants;
    const expected = model.perform(command);
    const { answer, fence } = await perform(probe, command, fences);
    expect(answer, where).toBe(expected);
    if (model.grants > grants) {
      expect(fence, where).toBeGreaterThan(0);
      fences.push(fence!);
    }
    if (command.call === 'acquire' && answer === 'granted' && !command.lives) await advance(SHORT_LEASE_MS);

    const records = await pick(random, handles).ledger.read(IDS.map(key));
    for (const [index, id] of IDS.entries()) {
      expect(digest(records[index]), `${id} after ${where}`).toEqual(digestOf(model, id, fences));
    }
  }
  await compareQueries(handles[0]!, model);
}

/** Removals alone leave nothing that the model could know them by; nonces.ts tests their repeats. */
function isKnownAgain(command: ModelCommand): boolean {
  if (command.call !== 'commit') return true;
  const steps = command.writes.map((write) => write.do);
  return steps.includes('put') || !steps.includes('remove');
}

/** At the end: what is due and what is listed. */
async function compareQueries(probe: LedgerProbe, model: ModelLedger): Promise<void> {
  const open = [...model.records].filter(([, record]) => !record.settled).map(([id]) => id);
  expect((await probe.dueIds(probe.start + 10 * FAR_MS)).toSorted()).toEqual(open.toSorted());
  const { records } = await probe.ledger.list({ kind: 'job', limit: 10 });
  expect(records.map((record) => record.key.id).toSorted()).toEqual([...model.records.keys()].toSorted());
}

function draw(random: Random, model: ModelLedger, nonce: string): ModelCommand {
  const id = pick(random, IDS);
  const chance = random.next();
  if (chance < 0.3) {
    const claim = {
      call: 'acquire',
      id,
      nonce,
      generation: 1 + Math.floor(random.next() * 3),
      lives: random.next() < 0.5,
    } as const;
    return random.next() < 0.3 ? { ...claim, create: drawContent(random, nonce) } : claim;
  }
  if (chance < 0.4) return { call: 'renew', id, grant: drawGrant(random, model, id) };
  const writes = Array.from({ length: random.next() < 0.6 ? 1 : 2 }, (_, index) =>
    drawWrite(random, model, IDS[(IDS.indexOf(id) + index) % IDS.length]!, nonce),
  );
  return { call: 'commit', nonce, writes };
}

function drawWrite(random: Random, model: ModelLedger, id: string, nonce: string): ModelWrite {
  const chance = random.next();
  const expect = drawExpectation(random, model, id);
  if (chance < 0.6)
    return { do: 'put', id, expect, content: drawContent(random, nonce), keepLease: random.next() < 0.2 };
  if (chance < 0.7) return { do: 'remove', id, expect: 'absent' in expect ? { any: true } : expect };
  if (chance < 0.85) return { do: 'check', id, expect };
  return { do: 'sent', id, messages: (model.records.get(id)?.outbox ?? ['unknown']).filter(() => random.next() < 0.7) };
}

/** Mostly what holds, sometimes what is slightly wrong. */
function drawExpectation(random: Random, model: ModelLedger, id: string): ModelExpectation {
  const record = model.records.get(id);
  const chance = random.next();
  if (chance < 0.1) return { any: true };
  if (record === undefined ? chance < 0.8 : chance < 0.15) return { absent: true };
  const version = (record?.version ?? 1) - (random.next() < 0.1 ? 1 : 0);
  return random.next() < 0.5 ? { version } : { version, grant: drawGrant(random, model, id) };
}

function drawGrant(random: Random, model: ModelLedger, id: string): number {
  const grant = model.records.get(id)?.grant ?? 0;
  return random.next() < 0.8 ? grant : Math.floor(random.next() * (model.grants + 1));
}

function drawContent(random: Random, nonce: string): ModelContent {
  return {
    generation: 1 + Math.floor(random.next() * 2),
    settled: random.next() < 0.1,
    due: random.next() < 0.8,
    outbox: ['x', 'y'].filter(() => random.next() < 0.3).map((name) => `${nonce}-${name}`),
  };
}

async function perform(
  probe: LedgerProbe,
  command: ModelCommand,
  fences: readonly number[],
): Promise<{ answer: string; fence?: number }> {
  if (command.call === 'renew') {
    const [answer] = await probe.ledger.renew([
      { key: key(command.id), fence: fences[command.grant]!, leaseMs: FAR_MS },
    ]);
    return answer!;
  }
  if (command.call === 'acquire') {
    const { id, nonce, generation, lives, create } = command;
    const leaseMs = lives ? FAR_MS : SHORT_LEASE_MS;
    const claim = { key: key(id), nonce, generation, leaseMs, holder: 'engine-a' };
    const [answer] = await probe.ledger.acquire([create ? { ...claim, create: contentOf(probe, create) } : claim]);
    return answer!;
  }
  const change: Change = {
    nonce: command.nonce,
    durable: true,
    writes: command.writes.map((write) => writeOf(probe, write, fences)),
  };
  const [answer] = await probe.ledger.commit([change]);
  return answer!;
}

function writeOf(probe: LedgerProbe, write: ModelWrite, fences: readonly number[]): Write {
  if (write.do === 'sent') return { do: 'sent', key: key(write.id), messages: write.messages };
  const { expect: asked } = write;
  const expectation: Expectation = 'grant' in asked ? { version: asked.version, fence: fences[asked.grant]! } : asked;
  const common = { key: key(write.id), expect: expectation };
  if (write.do !== 'put') return { do: write.do, ...common };
  return { do: 'put', ...common, content: contentOf(probe, write.content), keepLease: write.keepLease };
}

function contentOf(probe: LedgerProbe, { generation, settled, due, outbox }: ModelContent): RecordContent {
  const at = probe.start + (due ? -1000 : FAR_MS);
  const entries = outbox.map((id) => outboxEntry(id, at));
  return probe.content({ generation, dueAt: at, wakeAt: settled ? undefined : at, outbox: entries });
}

function digest(record: LedgerRecord | undefined): unknown {
  if (record === undefined) return undefined;
  const { version, fence, generation, wakeAt, outbox, lease, interrupted } = record;
  const messages = outbox.map(({ message }) => message.id);
  const nonces = interrupted.map(({ nonce }) => nonce);
  return { version, fence, generation, settled: wakeAt === undefined, messages, lease: lease?.nonce, nonces };
}

function digestOf(model: ModelLedger, id: string, fences: readonly number[]): unknown {
  const record = model.records.get(id);
  if (record === undefined) return undefined;
  const { version, grant, generation, settled, outbox, lease, interrupted } = record;
  const fence = fences[grant];
  return { version, fence, generation, settled, messages: outbox, lease: lease?.nonce, nonces: interrupted };
}

function pick<T>(random: Random, items: readonly T[]): T {
  return items[Math.floor(random.next() * items.length)]!;
}
