import { describe, expect, test } from 'vitest';
import { Batches, type Draft, MOST } from './batches.js';

interface Asked {
  readonly name: string;
  readonly bytes: number;
}

const request = (name: string, bytes = 0): Asked => ({ name, bytes });
const call = {
  draft({ keys, asks }: Draft, { name, bytes }: Asked) {
    keys.push(Buffer.from(name));
    asks.text(name.padEnd(bytes));
    if (name === 'impossible') throw new Error('It can\u2019t be made.');
  },
  isDurable: ({ name }: Asked) => name === 'durable',
  answer: (_: Asked, bytes: Buffer) => bytes,
};

/** Batches that wait for the test before they are answered, each request with its own name. */
function gated() {
  const sent: string[][] = [];
  const gates: { answer: () => void; fail: () => void }[] = [];
  const asked: string[] = [];
  const durable: boolean[] = [];
  const batches = new Batches(call, (batch) => {
    const names = batch.keys.map(String);
    sent.push(names);
    asked.push(String(batch.asks));
    durable.push(batch.durable);
    return new Promise((resolve, reject) => {
      gates.push({
        answer: () => resolve(names.map((name) => Buffer.from(name))),
        fail: () => reject(new Error('gone')),
      });
    });
  });
  const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(() => setImmediate(resolve)));
  return { batches, sent, asked, durable, gates, turn };
}

const texts = (answers: readonly Buffer[]): readonly string[] => answers.map(String);

describe('B1: what is asked in one turn goes out together', () => {
  test('one batch for many callers, and what comes meanwhile waits for the answer', async () => {
    const { batches, sent, gates, turn } = gated();
    const first = Promise.all(['a', 'b', 'c'].map((name) => batches.ask([request(name)])));
    await turn();
    expect(sent).toEqual([['a', 'b', 'c']]);
    const second = batches.ask([request('d')]);
    gates[0]!.answer();
    expect((await first).map(texts)).toEqual([['a'], ['b'], ['c']]);
    expect(sent).toEqual([['a', 'b', 'c'], ['d']]);
    gates[1]!.answer();
    expect(texts(await second)).toEqual(['d']);
  });

  test('what comes meanwhile waits no longer than the window, though no answer comes', async () => {
    const { batches, sent, turn } = gated();
    void batches.ask([request('a')]);
    await turn();
    void batches.ask([request('b')]);
    void batches.ask([request('c')]);
    await expect.poll(() => sent).toEqual([['a'], ['b', 'c']]);
  });

  test('a full batch waits for nothing', () => {
    const { batches, sent } = gated();
    for (let n = 0; n < MOST + 5; n += 1) void batches.ask([request(`${n}`)]);
    expect(sent.map((names) => names.length)).toEqual([MOST]);
  });
});

describe('B2: order, and each its own answer', () => {
  test('a call that is larger than a batch is answered as one, in order', async () => {
    const { batches, sent, asked, gates, turn } = gated();
    const names = Array.from({ length: 150 }, (_, n) => `${n}`);
    const answer = batches.ask(names.map((name) => request(name)));
    for (const { answer: open } of gates.toReversed()) open();
    await turn();
    gates[2]!.answer();
    expect(texts(await answer)).toEqual(names);
    expect(sent.map((batch) => batch.length)).toEqual([MOST, MOST, 150 - 2 * MOST]);
    expect(asked).toEqual(sent.map((batch) => batch.join('')));
  });

  test('a batch that fails fails those who asked in it, and nobody else', async () => {
    const { batches, gates, turn } = gated();
    const lost = ['a', 'b'].map((name) => batches.ask([request(name)]));
    await turn();
    const kept = batches.ask([request('c')]);
    gates[0]!.fail();
    for (const one of lost) await expect(one).rejects.toThrow('gone');
    gates[1]!.answer();
    expect(texts(await kept)).toEqual(['c']);
  });
});

test('what can’t be made is refused, and leaves nothing in what others ask', async () => {
  const { batches, sent, asked, turn } = gated();
  void batches.ask([request('a')]);
  await expect(batches.ask([request('b'), request('impossible')])).rejects.toThrow('made');
  void batches.ask([request('c')]);
  await turn();
  expect([sent, asked]).toEqual([[['a', 'c']], ['ac']]);
});

test('a batch is durable if one of its requests is', async () => {
  const { batches, durable, gates, turn } = gated();
  void batches.ask([request('a'), request('durable')]);
  await turn();
  void batches.ask([request('b')]);
  gates[0]!.answer();
  await turn();
  expect(durable).toEqual([true, false]);
});

test('B3: large requests go out in few, a single one whatever its size', async () => {
  const { batches, sent, turn } = gated();
  const kilobytes = (name: string, size: number) => request(name, size * 1024);
  void batches.ask([kilobytes('a', 300), kilobytes('b', 200), kilobytes('c', 300), kilobytes('d', 900)]);
  await turn();
  expect(sent).toEqual([['a', 'b'], ['c'], ['d']]);
});
