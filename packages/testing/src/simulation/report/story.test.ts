import type { LedgerRecord } from '@carillon/core/spi';
import { describe, expect, it } from 'vitest';
import type { Happened, ObservedAttempt } from '../observation.js';
import type { FaultName } from '../plan/faults.js';
import { Story } from './story.js';

const START = Date.UTC(2026, 0, 1);

const written: LedgerRecord = {
  key: { kind: 'job', id: 'order-1', partition: '7f' },
  version: 1,
  fence: 0,
  lease: undefined,
  interrupted: [],
  generation: 1,
  queue: 'default',
  task: 'ping',
  state: 'scheduled',
  dueAt: START + 60_000,
  wakeAt: START + 5_000,
  expiresAt: undefined,
  durableGrant: false,
  body: '{"payload":{},"key":"cart"}',
  outbox: [
    {
      wakeAt: START + 75_000,
      message: { id: 'order-1#1', queue: 'default', body: new Uint8Array(), deliverAt: START + 60_000 },
    },
  ],
};
const pointer: LedgerRecord = { ...written, key: { ...written.key, kind: 'key', id: 'ping/cart' }, body: 'order-1' };
const granted = (holder: string, fence: number, untilMs: number): LedgerRecord => ({
  ...written,
  outbox: [],
  fence,
  lease: { holder, nonce: '', since: START, until: START + untilMs },
});
const attempt = (fence: number): ObservedAttempt => ({
  jobId: 'order-1',
  task: 'ping',
  number: 1,
  fence,
  dueAt: START + 60_000,
  nominalAt: START + 60_000,
  payload: {},
});
const call = { call: 'cancel', number: 9, task: 'ping', id: undefined, key: 'cart', options: {} } as const;
const record = (change: 'written' | 'granted', before: LedgerRecord | undefined, after: LedgerRecord) => {
  return { what: 'record', change, key: after.key, before, after } as const;
};

type Told = Happened extends infer H ? (H extends Happened ? Omit<H, 'host'> : never) : never;

/** Tells a story of what happened on hosts at so many seconds. */
function told(...happened: readonly (readonly [seconds: number, host: string, what: Told])[]) {
  const story = new Story('order-1');
  for (const [seconds, host, what] of happened) {
    story.watch({ ...what, at: START + seconds * 1000, host: host === '' ? undefined : host });
  }
  return story.told({ breaks: 'I2', about: 'order-1', text: 'done twice', at: START + 140_000 });
}

describe('the story of a violation', () => {
  it('says who did what to which record, and when', () => {
    expect(
      told(
        [0, 'shop', record('written', undefined, written)],
        [60, 'engine-1', { what: 'message', change: 'delivered', message: written.outbox[0]!.message }],
        [60.003, 'engine-1', record('granted', written, granted('engine-1.1', 5, 90_000))],
        [60.004, 'engine-1', { what: 'attempt', moment: 'started', attempt: attempt(5) }],
        [60.01, 'engine-1', { what: 'host', change: 'paused', version: 2 }],
        [91, 'engine-2', record('granted', granted('engine-1.1', 5, 90_000), granted('engine-2.1', 6, 121_000))],
        [133.61, 'engine-1', { what: 'host', change: 'resumed', version: 2 }],
        [134, 'engine-1', { what: 'attempt', moment: 'started', attempt: attempt(5) }],
      ),
    ).toEqual([
      '2026-01-01 00:00:00.000  shop      writes            order-1  scheduled, due 00:01:00.000, promises order-1#1 at 00:01:00.000',
      '2026-01-01 00:01:00.000  engine-1  receives          order-1#1',
      '2026-01-01 00:01:00.003  engine-1  is granted        order-1  fence 5, leased to engine-1.1 until 00:01:30.000',
      '2026-01-01 00:01:00.004  engine-1  starts            order-1  attempt 1, fence 5, due 00:01:00.000',
      '2026-01-01 00:01:00.010  engine-1  STANDS STILL',
      '2026-01-01 00:01:31.000  engine-2  is granted        order-1  fence 6, leased to engine-2.1 until 00:02:01.000',
      '2026-01-01 00:02:13.610  engine-1  goes on             after 73.6 s',
      '2026-01-01 00:02:14.000  engine-1  starts            order-1  attempt 1, fence 5, due 00:01:00.000  ← overtaken: a later fence has been granted',
      '2026-01-01 00:02:20.000  VIOLATION I2: done twice (order-1)',
    ]);
  });

  it('takes in calls that name the key, and none that name another', () => {
    const story = told(
      [1, 'shop', { what: 'call', call: { ...call, key: 'basket' } }],
      [2, 'shop', { what: 'call', call }],
      [3, 'shop', record('written', undefined, pointer)],
      [4, 'shop', { what: 'call', call: { ...call, key: undefined, id: 'order-2' } }],
    );
    expect(story.slice(0, -1)).toEqual([
      '2026-01-01 00:00:02.000  shop      calls cancel      key cart of ping',
      '2026-01-01 00:00:03.000  shop      writes            key ping/cart  → order-1',
    ]);
  });

  it('takes in faults and crashes where and when they may have mattered, and no others', () => {
    const fault = (fault: FaultName, about: string) => ({ what: 'fault', fault, about }) as const;
    const story = told(
      [0, '', fault('failover', '')], // too long ago
      [660, 'engine-2', fault('slow', 'commit')], // elsewhere
      [661, 'engine-1', fault('slow', 'renew')],
      [661, '', fault('duplicate', 'order-1#1')],
      [661, '', fault('duplicate', 'order-2#1')], // another job
      [661, '', fault('partition', 'engine-1')],
      [661, '', fault('partition', 'engine-2')], // elsewhere
      [661, '', fault('clock-step', '')],
      [661, '', fault('pause', '')], // the host says so itself
      [662, 'engine-1', { what: 'attempt', moment: 'returned', attempt: attempt(5), error: undefined }],
      [663, 'engine-1', fault('crash', 'before ledger.commit')],
      [663, 'engine-1', { what: 'host', change: 'crashed', version: 2 }],
      [760, 'engine-1', { what: 'host', change: 'crashed', version: 2 }], // long after
    );
    expect(story.slice(0, -1).map((line) => line.slice(25, 65).trimEnd())).toEqual([
      'engine-1  FAULT slow        renew  a req',
      '          FAULT duplicate   order-1#1  t',
      '          FAULT partition   engine-1  an',
      '          FAULT clock-step    the ledger',
      'engine-1  returns from      order-1  att',
      'engine-1  FAULT crash       before ledge',
      'engine-1  CRASHES',
    ]);
  });

  it('S2: keeps the beginning and the end of what is long', () => {
    const starts = Array.from({ length: 300 }, (_, index) => {
      return [60 + index, 'engine-1', { what: 'attempt', moment: 'started', attempt: attempt(index) }] as const;
    });
    const story = told(...starts);
    expect(story).toHaveLength(262);
    expect(story[60]).toBe('… 40 lines left out …');
    expect(story.at(-2)).toContain('fence 299');
  });
});
