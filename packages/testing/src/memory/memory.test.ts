import type { RecordContent } from '@carillon/core/spi';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../virtual-clock.js';
import { memory, memoryStore } from './memory.js';

const signal = new AbortController().signal;

function content(over: Partial<RecordContent>): RecordContent {
  const times = { dueAt: 0, wakeAt: 0, expiresAt: undefined };
  const words = { queue: 'default', task: 'mail', state: 'scheduled', body: '{}' };
  return { generation: 1, durableGrant: false, outbox: [], ...times, ...words, ...over };
}

describe('memory', () => {
  it('holds 20,000 records and messages', async () => {
    const clock = new VirtualClock(0);
    const { ledger, transport } = memory({ clock });
    for (let from = 0; from < 20_000; from += 1000) {
      const ids = Array.from({ length: 1000 }, (_, index) => ((from + index) * 7919) % 20_000);
      await ledger.commit(
        ids.map((at) => ({
          nonce: `n${at}`,
          durable: true,
          writes: [
            {
              do: 'put',
              key: { kind: 'job', id: `j${at}`, partition: `j${at}` },
              expect: { absent: true },
              content: content({ dueAt: at, wakeAt: at }),
            },
          ],
        })),
      );
      await transport.send(ids.map((at) => ({ id: `m${at}`, queue: 'q', body: new Uint8Array([at]), deliverAt: at })));
    }
    const page = await ledger.due({ queues: ['default'], before: 1e9, limit: 3 });
    expect(page.records.map((record) => record.wakeAt)).toEqual([0, 1, 2]);

    await clock.advance(20_000);
    let received = 0;
    while (received < 20_000) {
      const deliveries = await transport.receive({ queue: 'q', max: 1000, leaseMs: 60_000, holder: 'h', signal });
      received += deliveries.length;
      expect(await Promise.all(deliveries.map((delivery) => delivery.ack()))).not.toContain('lost');
    }
    expect(clock.pending).toBe(0);
  });

  it('keeps what it holds to itself', async () => {
    const { ledger } = memory();
    const key = { kind: 'job', id: 'a', partition: 'a' };
    const body = new Uint8Array([1, 2, 3]);
    const message = { id: 'm', queue: 'q', body, deliverAt: 0 };
    const put = content({ outbox: [{ message, wakeAt: 0 }] });
    await ledger.commit([
      { nonce: 'n', durable: true, writes: [{ do: 'put', key, expect: { absent: true }, content: put }] },
    ]);
    body[0] = 9;
    const [record] = await ledger.read([key]);
    record!.outbox[0]!.message.body[0] = 8;
    expect((await ledger.read([key]))[0]!.outbox[0]!.message.body).toEqual(new Uint8Array([1, 2, 3]));
    expect(Object.isFrozen(record)).toBe(true);
  });

  it('refuses a change over two partitions, which other ledgers could not keep whole', async () => {
    const { ledger } = memory();
    const writes = ['a', 'b'].map((id) => ({
      do: 'remove' as const,
      key: { kind: 'job', id, partition: id },
      expect: { any: true as const },
    }));
    await expect(ledger.commit([{ nonce: 'n', durable: true, writes }])).rejects.toThrow('one partition');
  });

  it.each([
    ['memory', memory],
    ['memoryStore', memoryStore],
  ])('%s: gives handles that are closed one by one, and opened again', async (_, create) => {
    const clock = new VirtualClock();
    const first = create({ clock });
    const second = first.another();
    await first.ledger.close();
    await first.transport.close();
    await expect(first.ledger.now()).rejects.toMatchObject({ code: 'E_STOPPED' });
    await expect(
      first.transport.receive({ queue: 'q', max: 1, leaseMs: 1000, holder: 'h', signal }),
    ).rejects.toMatchObject({ code: 'E_STOPPED' });
    expect(await second.ledger.now()).toBe(clock.now());
    await first.ledger.open();
    expect(await first.ledger.now()).toBe(clock.now());
  });
});
