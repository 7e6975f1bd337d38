import { describe, expect, test } from 'vitest';
import { Batches, MOST, type Request } from './batches.js';

const request = (name: string, bytes = 0): Request => ({ keys: [Buffer.from(name)], ask: Buffer.alloc(bytes) });
const call = { request: (asked: Request) => asked, answer: (_: Request, bytes: Buffer) => bytes };
const nameOf = ({ keys }: Request): string => String(keys[0]);

/** Batches that wait for the test before they are answered, each request with its own name. */
function gated() {
  const sent: string[][] = [];
  const gates: { answer: () => void; fail: () => void }[] = [];
  const batches = new Batches(call, (requests) => {
    const names = requests.map(nameOf);
    sent.push(names);
    return new Promise((resolve, reject) => {
      gates.push({
        answer: () => resolve(names.map((name) => Buffer.from(name))),
        fail: () => reject(new Error('gone')),
      });
    });
  });
  const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(() => setImmediate(resolve)));
  return { batches, sent, gates, turn };
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

  test('a full batch waits for nothing', () => {
    const { batches, sent } = gated();
    for (let n = 0; n < MOST + 5; n += 1) void batches.ask([request(`${n}`)]);
    expect(sent.map((names) => names.length)).toEqual([MOST]);
  });
});

describe('B2: order, and each its own answer', () => {
  test('a call that is larger than a batch is answered as one, in order', async () => {
    const { batches, sent, gates, turn } = gated();
    const names = Array.from({ length: 150 }, (_, n) => `${n}`);
    const answer = batches.ask(names.map((name) => request(name)));
    for (const { answer: open } of gates.toReversed()) open();
    await turn();
    gates[2]!.answer();
    expect(texts(await answer)).toEqual(names);
    expect(sent.map((batch) => batch.length)).toEqual([MOST, MOST, 150 - 2 * MOST]);
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

test('B3: large requests go out in few, a single one whatever its size', async () => {
  const { batches, sent, turn } = gated();
  const kilobytes = (name: string, size: number) => request(name, size * 1024);
  void batches.ask([kilobytes('a', 300), kilobytes('b', 200), kilobytes('c', 300), kilobytes('d', 900)]);
  await turn();
  expect(sent).toEqual([['a', 'b'], ['c'], ['d']]);
});
