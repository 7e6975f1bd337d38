// Placing: what a change asks of the records that it meets, and what it leaves behind.

import { expect } from 'vitest';
import type { Expectation, RecordKey, Write } from '@carillon/core/spi';
import type { Test } from '../suite.js';
import type { LedgerProbe, ProbedLedger } from './ledger-probe.js';
import { asGranted, FAR_MS, jobKey, outboxEntry } from './ledger-probe.js';

/** Expectations, and changes as a whole (L1, L2 of ports/ledger.ts). */
export function placing(test: Test<ProbedLedger>): void {
  test('reads nothing where nothing is', async ({ probe }) => {
    expect(await probe.read('a')).toBeUndefined();
  });

  test('places a record as version 1 and reads back what was written', async ({ probe }) => {
    const content = probe.content({
      generation: 7_000_000_000_123_456,
      queue: 'mails',
      task: 'remind',
      state: 'waiting',
      dueAt: probe.start + FAR_MS,
      wakeAt: probe.start + 5000,
      expiresAt: probe.start + 2 * FAR_MS,
      durableGrant: true,
      body: '{"n":1}',
      outbox: [outboxEntry('m1', probe.start + FAR_MS)],
    });
    expect(await probe.put('a', { absent: true }, content)).toEqual({ answer: 'ok' });
    const bookkeeping = { key: jobKey('a'), version: 1, fence: 0, lease: undefined, interrupted: [] };
    expect(await probe.read('a')).toEqual({ ...content, ...bookkeeping });
  });

  test('does not place over a record, and shows it', async ({ probe }) => {
    const record = await probe.place('a');
    const answer = await probe.put('a', { absent: true }, probe.content({ state: 'other' }));
    expect(answer).toEqual({ answer: 'conflict', key: jobKey('a'), record });
    expect(await probe.read('a')).toEqual(record);
  });

  test('L2: raises the version by one with each put', async ({ probe }) => {
    await probe.place('a');
    for (let version = 1; version < 6; version += 1) {
      const content = probe.content({ state: `state-${version}` });
      expect(await probe.put('a', { version }, content)).toEqual({ answer: 'ok' });
      expect(await probe.read('a')).toMatchObject({ version: version + 1, state: `state-${version}` });
    }
  });

  test('refuses a put on another version, and shows what stands there', async ({ probe }) => {
    await probe.place('a');
    await probe.put('a', { version: 1 });
    const record = await probe.demand('a');
    for (const version of [0, 1, 3]) {
      expect(await probe.put('a', { version })).toEqual({ answer: 'conflict', key: jobKey('a'), record });
    }
    expect(await probe.read('a')).toEqual(record);
    expect(await probe.put('b', { version: 1 })).toEqual({ answer: 'conflict', key: jobKey('b'), record: undefined });
    expect(await probe.read('b')).toBeUndefined();
  });

  test('puts over whatever is there, if anything will do', async ({ probe }) => {
    expect(await probe.put('a', { any: true })).toEqual({ answer: 'ok' });
    expect(await probe.read('a')).toMatchObject({ version: 1 });
    expect(await probe.put('a', { any: true })).toEqual({ answer: 'ok' });
    expect(await probe.read('a')).toMatchObject({ version: 2 });
  });

  test('replaces all of the content', async ({ probe }) => {
    await probe.place('a', {
      expiresAt: probe.start + FAR_MS,
      outbox: [outboxEntry('m', probe.start)],
      durableGrant: true,
    });
    const content = probe.settled({ queue: 'other', task: 'other', generation: 2, body: 'null' });
    await probe.put('a', { version: 1 }, content);
    expect(await probe.read('a')).toMatchObject(content);
  });

  test('L1: does nothing at all if one write of a change fails, wherever it stands', async ({ probe }) => {
    const put = putsOf(probe);
    await probe.commit([put('there', { absent: true }), put('gone', { absent: true })]);
    const [record] = await probe.ledger.read([shared('there')]);

    const others: readonly Write[] = [
      put('new', { absent: true }),
      { do: 'remove', key: shared('gone'), expect: { any: true } },
    ];
    for (const writes of [
      [put('there', { absent: true }), ...others],
      [others[0]!, put('there', { absent: true }), others[1]!],
      [...others, put('there', { absent: true })],
    ]) {
      expect(await probe.commit(writes)).toEqual({ answer: 'conflict', key: shared('there'), record });
      const [fresh, gone, there] = await probe.ledger.read([shared('new'), shared('gone'), shared('there')]);
      expect([fresh, gone?.version, there]).toEqual([undefined, 1, record]);
    }
  });

  test('L1: does nothing at all if a holder of one of its records has lost it', async ({ probe }) => {
    const held = jobKey('held', 'shared');
    const other = jobKey('other', 'shared');
    await probe.commit([{ do: 'put', key: held, expect: { absent: true }, content: probe.content() }]);
    const { fence } = await probe.grant('held', { key: held });
    const writes: readonly Write[] = [
      { do: 'put', key: other, expect: { absent: true }, content: probe.content() },
      { do: 'put', key: held, expect: { version: 1, fence: fence - 1 }, content: probe.content() },
    ];
    expect(await probe.commit(writes)).toEqual({ answer: 'lost' });
    expect(await probe.ledger.read([other])).toEqual([undefined]);
  });

  test('L1: takes the last word of a holder and new records beside it together, or none of them', async ({ probe }) => {
    const put = putsOf(probe);
    await probe.commit([put('held', { absent: true }), put('taken', { absent: true })]);
    const grant = asGranted(await probe.grant('held', { key: shared('held') }));
    const [held, taken] = await probe.ledger.read([shared('held'), shared('taken')]);

    const conflict = { answer: 'conflict', key: shared('taken'), record: taken };
    const beside = [put('new', { absent: true }), put('taken', { absent: true })];
    expect(await probe.commit([put('held', grant), ...beside])).toEqual(conflict);
    const lost = { ...grant, fence: grant.fence - 1 };
    expect(await probe.commit([put('held', lost), put('new', { absent: true })])).toEqual({ answer: 'lost' });
    expect(await probe.ledger.read([shared('held'), shared('new')])).toEqual([held, undefined]);

    for (const nonce of ['first', 'first']) {
      expect(await probe.commit([put('held', grant), put('new', { absent: true })], nonce)).toEqual({ answer: 'ok' });
      const [ended, fresh] = await probe.ledger.read([shared('held'), shared('new')]);
      expect([ended?.version, ended?.lease, fresh?.version]).toEqual([grant.version + 1, undefined, 1]);
    }
  });

  test('writes records of several kinds in one partition together', async ({ probe }) => {
    const job = jobKey('a', 'shared');
    const pointer = { kind: 'key', id: 'a', partition: 'shared' };
    const content = probe.settled({ body: '{"points":"a"}' });
    expect(
      await probe.commit([
        { do: 'put', key: job, expect: { absent: true }, content: probe.content() },
        { do: 'put', key: pointer, expect: { absent: true }, content },
      ]),
    ).toEqual({ answer: 'ok' });
    const [first, second] = await probe.ledger.read([job, pointer]);
    expect([first?.key, first?.body, second?.key, second?.body]).toEqual([
      job,
      '{"to":"ada"}',
      pointer,
      '{"points":"a"}',
    ]);
  });

  test('checks without writing', async ({ probe }) => {
    const key = (id: string) => jobKey(id, 'shared');
    await probe.commit([{ do: 'put', key: key('there'), expect: { absent: true }, content: probe.content() }]);
    const { fence, record } = await probe.grant('there', { key: key('there') });

    const cases: readonly [id: string, expect: Expectation, answer: string][] = [
      ['there', { any: true }, 'ok'],
      ['there', { version: 2 }, 'ok'],
      ['there', { version: 2, fence }, 'ok'],
      ['there', { version: 1 }, 'conflict'],
      ['there', { version: 1, fence }, 'conflict'],
      ['there', { version: 2, fence: fence - 1 }, 'lost'],
      ['there', { absent: true }, 'conflict'],
      ['nowhere', { absent: true }, 'ok'],
      ['nowhere', { any: true }, 'ok'],
      ['nowhere', { version: 1 }, 'conflict'],
      ['nowhere', { version: 1, fence }, 'lost'],
    ];
    for (const [index, [id, expectation, answer]] of cases.entries()) {
      const written = key(`written-${index}`);
      const writes: readonly Write[] = [
        { do: 'check', key: key(id), expect: expectation },
        { do: 'put', key: written, expect: { absent: true }, content: probe.content() },
      ];
      expect(await probe.commit(writes), `${id} ${JSON.stringify(expectation)}`).toMatchObject({ answer });
      const [after] = await probe.ledger.read([written]);
      expect(after === undefined).toBe(answer !== 'ok');
    }
    expect(await probe.ledger.read([key('there'), key('nowhere')])).toEqual([record, undefined]);
  });

  test('removes a record if the expectation holds', async ({ probe }) => {
    const record = await probe.place('a');
    const remove = (expect: Expectation) => probe.commit([{ do: 'remove', key: jobKey('a'), expect }]);
    expect(await remove({ version: 2 })).toEqual({ answer: 'conflict', key: jobKey('a'), record });
    expect(await remove({ absent: true })).toEqual({ answer: 'conflict', key: jobKey('a'), record });
    expect(await remove({ version: 1, fence: 5 })).toEqual({ answer: 'lost' });
    expect(await probe.read('a')).toEqual(record);
    expect(await remove({ version: 1 })).toEqual({ answer: 'ok' });
    expect(await probe.read('a')).toBeUndefined();
    expect(await probe.claim('a')).toEqual({ answer: 'absent' });
    expect(await remove({ any: true })).toEqual({ answer: 'ok' });
  });

  test('starts again at version 1 after a removal', async ({ probe }) => {
    await probe.place('a');
    await probe.put('a', { version: 1 });
    await probe.commit([{ do: 'remove', key: jobKey('a'), expect: { any: true } }]);
    expect(await probe.place('a')).toMatchObject({ version: 1, fence: 0, lease: undefined, interrupted: [] });
  });
}

const shared = (id: string): RecordKey => jobKey(id, 'shared');

function putsOf(probe: LedgerProbe): (id: string, expect: Expectation) => Write {
  return (id, expect) => ({ do: 'put', key: shared(id), expect, content: probe.content() });
}
