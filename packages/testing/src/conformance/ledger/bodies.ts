// Bodies: what is written comes back character by character, whatever its size.

import { expect } from 'vitest';
import type { Test } from '../suite.js';
import type { ProbedLedger } from './ledger-probe.js';
import { jobKey, outboxEntry } from './ledger-probe.js';

const TEXTS: readonly [name: string, text: string][] = [
  ['accents, scripts and emoji', 'Ærøskøbing – 東京 – नमस्ते – 👩‍👩‍👧 – \u{10FFFF}'],
  ['control characters and line ends', '\u0000\u0001\n\r\t\u007f\u2028\ufeff'],
  ['quotes, braces and patterns', `'"\`{}[]*?%_\\$&;--`],
];

/** Texts and sizes, unchanged. */
export function bodies(test: Test<ProbedLedger>): void {
  for (const [name, text] of TEXTS) {
    test(`keeps ${name} in a body and in every word of a record`, async ({ probe }) => {
      const over = { body: JSON.stringify({ text }), state: `s${text}`, task: `t${text}`, queue: `q${text}` };
      expect(await probe.place('a', over)).toMatchObject(over);
      const listed = await probe.ledger.list({
        kind: 'job',
        task: over.task,
        queue: over.queue,
        states: [over.state],
        limit: 2,
      });
      expect(listed.records).toMatchObject([over]);
      expect(await probe.dueIds(probe.start, over.queue)).toEqual(['a']);
    });
  }

  test('keeps raw text in a body, escaped or not', async ({ probe }) => {
    for (const [index, [, text]] of TEXTS.entries()) {
      expect(await probe.place(`raw-${index}`, { body: text })).toMatchObject({ body: text });
    }
  });

  test('keeps an empty body', async ({ probe }) => {
    expect(await probe.place('a', { body: '' })).toMatchObject({ body: '' });
  });

  test('keeps a body of 256 KB, and grants it whole', async ({ probe }) => {
    const body = JSON.stringify('añ'.repeat(90_000)).slice(0, 256 * 1024);
    await probe.place('a', { body });
    const { fence, record } = await probe.grant('a');
    expect(record.body === body).toBe(true);
    const longer = `${body}${body}`;
    expect(await probe.put('a', { version: 2, fence }, probe.content({ body: longer }))).toEqual({ answer: 'ok' });
    expect((await probe.demand('a')).body === longer).toBe(true);
  });

  test('keeps an outbox message of 64 KB', async ({ probe }) => {
    const bytes = Uint8Array.from({ length: 64 * 1024 }, (_, index) => (index * 31) % 256);
    const { outbox } = await probe.place('a', { outbox: [outboxEntry('m', probe.start, bytes)] });
    expect(Buffer.compare(outbox[0]!.message.body, bytes)).toBe(0);
  });

  test('tells ids apart that are nearly the same', async ({ probe }) => {
    const ids = ['a', 'A', 'a ', ' a', 'a:b', 'a/b', 'a{b}', 'a*', 'ä', 'a\u0308', '__proto__', 'x'.repeat(200)];
    for (const id of ids) await probe.place(id, { body: JSON.stringify(id) });
    const records = await probe.ledger.read(ids.map((id) => jobKey(id)));
    expect(records.map((record) => record?.body)).toEqual(ids.map((id) => JSON.stringify(id)));
    expect(records.map((record) => record?.key.id)).toEqual(ids);
  });

  test('keeps fences and generations beyond 2^50 exact', async ({ probe }) => {
    const generation = 2 ** 53 - 3;
    await probe.place('a', { generation });
    const { fence } = await probe.grant('a', { generation });
    expect(await probe.read('a')).toMatchObject({ generation, fence });
    expect(await probe.claim('a', { generation: generation - 1 })).toMatchObject({ answer: 'stale' });
    expect(await probe.renew('a', fence + 1)).toEqual({ answer: 'lost' });
    expect(await probe.put('a', { version: 2, fence }, probe.content({ generation }))).toEqual({ answer: 'ok' });
  });
}
