// Outbox: messages that a commit has promised, until somebody reports them as sent.

import { expect } from 'vitest';
import type { Test } from '../suite.js';
import type { ProbedLedger } from './ledger-probe.js';
import { FAR_MS, jobKey, outboxEntry } from './ledger-probe.js';

/** Messages that are still to be sent. */
export function outbox(test: Test<ProbedLedger>): void {
  test('keeps messages in order, byte for byte, and brings them with every answer', async ({ probe }) => {
    const bytes = Uint8Array.from({ length: 1024 }, (_, index) => index % 256);
    const entries = [outboxEntry('m2', probe.start + 5000, bytes), outboxEntry('m1', probe.start, new Uint8Array())];
    const placed = await probe.place('a', { outbox: entries });
    expect(placed.outbox).toEqual(entries);
    expect(await probe.put('a', { absent: true })).toMatchObject({ answer: 'conflict', record: { outbox: entries } });
    expect((await probe.grant('a')).record.outbox).toEqual(entries);
    expect(await probe.claim('a')).toMatchObject({ answer: 'busy', record: { outbox: entries } });
    const page = await probe.ledger.list({ kind: 'job', limit: 10 });
    expect(page.records[0]?.outbox).toEqual(entries);
  });

  test('strikes sent messages, and wakes at the last one’s time when none is left', async ({ probe }) => {
    const { start } = probe;
    const entries = [outboxEntry('m1', start + 1000), outboxEntry('m2', start + 2000), outboxEntry('m3', start + 3000)];
    const placed = await probe.place('a', { wakeAt: start + 5000, outbox: entries });
    const sent = (...messages: string[]) => probe.commit([{ do: 'sent', key: jobKey('a'), messages }]);
    expect(await sent('m2')).toEqual({ answer: 'ok' });
    expect(await probe.read('a')).toEqual({ ...placed, outbox: [entries[0], entries[2]] });
    expect(await sent('m3')).toEqual({ answer: 'ok' });
    expect(await probe.read('a')).toEqual({ ...placed, outbox: [entries[0]] });
    expect(await sent('m1')).toEqual({ answer: 'ok' });
    expect(await probe.read('a')).toEqual({ ...placed, outbox: [], wakeAt: start + 1000 });
  });

  test('strikes all messages at once', async ({ probe }) => {
    const entries = [outboxEntry('m1', probe.start + 7000), outboxEntry('m2', probe.start + 7000)];
    const placed = await probe.place('a', { outbox: entries });
    await probe.commit([{ do: 'sent', key: jobKey('a'), messages: ['m1', 'm2', 'm3'] }]);
    expect(await probe.read('a')).toEqual({ ...placed, outbox: [], wakeAt: probe.start + 7000 });
  });

  test('does nothing about messages and records that are not there', async ({ probe }) => {
    const placed = await probe.place('a', { outbox: [outboxEntry('m1', probe.start)] });
    const plain = await probe.place('b');
    expect(await probe.commit([{ do: 'sent', key: jobKey('a'), messages: ['m9'] }])).toEqual({ answer: 'ok' });
    expect(await probe.commit([{ do: 'sent', key: jobKey('b'), messages: ['m1'] }])).toEqual({ answer: 'ok' });
    expect(await probe.commit([{ do: 'sent', key: jobKey('c'), messages: ['m1'] }])).toEqual({ answer: 'ok' });
    expect(await probe.ledger.read(['a', 'b', 'c'].map((id) => jobKey(id)))).toEqual([placed, plain, undefined]);
  });

  test('strikes whoever holds the record and whatever its version is', async ({ probe }) => {
    const entries = [outboxEntry('m1', probe.start + 9000)];
    await probe.place('a', { outbox: entries });
    await probe.put('a', { version: 1 }, probe.content({ outbox: entries }));
    const { record } = await probe.grant('a');
    expect(await probe.commit([{ do: 'sent', key: jobKey('a'), messages: ['m1'] }])).toEqual({ answer: 'ok' });
    expect(await probe.read('a')).toEqual({ ...record, outbox: [], wakeAt: probe.start + 9000 });
  });

  test('does not take a late report for a message of a newer outbox', async ({ probe }) => {
    await probe.place('a', { outbox: [outboxEntry('old', probe.start)] });
    const content = probe.content({ outbox: [outboxEntry('new', probe.start + 1000)] });
    await probe.put('a', { version: 1 }, content);
    await probe.commit([{ do: 'sent', key: jobKey('a'), messages: ['old'] }]);
    expect(await probe.read('a')).toMatchObject({ outbox: content.outbox, wakeAt: content.wakeAt });
  });

  test('never opens a settled record again', async ({ probe }) => {
    const settled = probe.settled({ outbox: [outboxEntry('m1', probe.start)] });
    await probe.put('a', { absent: true }, settled);
    await probe.commit([{ do: 'sent', key: jobKey('a'), messages: ['m1'] }]);
    expect(await probe.read('a')).toMatchObject({ outbox: [], wakeAt: undefined });
    expect(await probe.dueIds(probe.start + FAR_MS)).toEqual([]);
    expect(await probe.claim('a')).toMatchObject({ answer: 'settled' });
  });

  test('moves what is due when the last message is struck', async ({ probe }) => {
    await probe.place('a', { wakeAt: probe.start + 5000, outbox: [outboxEntry('m1', probe.start + 9000)] });
    expect(await probe.dueIds(probe.start + 5000)).toEqual(['a']);
    await probe.commit([{ do: 'sent', key: jobKey('a'), messages: ['m1'] }]);
    expect(await probe.dueIds(probe.start + 8999)).toEqual([]);
    expect(await probe.dueIds(probe.start + 9000)).toEqual(['a']);
  });

  test('L1: strikes messages together with the rest of a change, or not at all', async ({ probe }) => {
    const shared = jobKey('a', 'shared');
    const other = jobKey('b', 'shared');
    const content = probe.content({ outbox: [outboxEntry('m1', probe.start)] });
    await probe.commit([{ do: 'put', key: shared, expect: { absent: true }, content }]);
    const sent = { do: 'sent', key: shared, messages: ['m1'] } as const;
    const put = (version: number) => ({ do: 'put', key: other, expect: { version }, content }) as const;
    expect(await probe.commit([sent, put(3)])).toMatchObject({ answer: 'conflict', key: other });
    expect((await probe.ledger.read([shared]))[0]?.outbox).toEqual(content.outbox);
    expect(await probe.commit([sent, { ...put(0), expect: { absent: true } }])).toEqual({ answer: 'ok' });
    expect((await probe.ledger.read([shared]))[0]?.outbox).toEqual([]);
  });
}
