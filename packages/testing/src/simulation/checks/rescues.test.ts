import type { LedgerRecord, OutgoingMessage } from '@carillon/core/spi';
import { snooze } from '@carillon/core';
import { describe, expect, test } from 'vitest';
import type { Observation, RecordChange, MessageChange, HostChange } from '../observation.js';
import { JOB_RESCUES, merged, type Rescue, RESCUES, Rescues, tame } from './rescues.js';
import { SCHEDULE_RESCUES } from './schedule-rescues.js';

const MINUTE_MS = 60_000;
const LEASE = { holder: 'engine-1.1', nonce: 'n', since: 0, until: 30_000 };

function message(number: number): OutgoingMessage {
  return { id: `job#${number}`, queue: 'default', body: new Uint8Array(), deliverAt: 0 };
}

function record(over: Partial<LedgerRecord> = {}): LedgerRecord {
  return {
    key: { kind: 'job', id: 'job', partition: '00' },
    version: 1,
    fence: 0,
    lease: undefined,
    interrupted: [],
    generation: 1,
    queue: 'default',
    task: 'mail',
    state: 'scheduled',
    dueAt: 0,
    wakeAt: 0,
    expiresAt: undefined,
    durableGrant: false,
    body: '{"payload":null}',
    outbox: [],
    ...over,
  };
}

const promising = (number: number, over: Partial<LedgerRecord> = {}): LedgerRecord =>
  record({ outbox: [{ message: message(number), wakeAt: 0 }], ...over });

function change(
  what: RecordChange,
  before: LedgerRecord | undefined,
  after: LedgerRecord | undefined,
  host = 'engine-1',
): Observation {
  return { what: 'record', at: 0, host, change: what, key: record().key, before, after };
}

const travels = (what: MessageChange, carried: OutgoingMessage, host = 'engine-1', at = 0): Observation => ({
  what: 'message',
  at,
  host,
  change: what,
  message: carried,
});

function attempt(
  moment: 'started' | 'returned' | 'threw',
  number = 1,
  error?: unknown,
  host = 'engine-1',
): Observation {
  const observed = { jobId: 'job', task: 'mail', number, fence: number, dueAt: 0, nominalAt: 0, payload: null };
  const common = { what: 'attempt', at: 0, host, attempt: observed } as const;
  return moment === 'started' ? { ...common, moment } : { ...common, moment, error };
}

function answer(call: 'schedule' | 'cancel' | 'redrive', outcome: string, tries = 1): Observation {
  const asked = { call, number: 1, task: 'mail', id: 'job', key: undefined, options: {} };
  return { what: 'answer', at: 0, host: 'shop', call: asked, answer: { outcome, id: 'job' }, failed: false, tries };
}

function event(name: (Observation & { what: 'event' })['event'], data: object = {}): Observation {
  return { what: 'event', at: 0, host: 'engine-1', event: name, data: { id: 'job', ...data } as never };
}

const host = (what: HostChange, at = 0): Observation => ({
  what: 'host',
  at,
  host: 'engine-1',
  change: what,
  version: 2,
});

const placed = change('written', undefined, promising(1), 'shop');
const held = change('granted', record(), record({ fence: 1, lease: LEASE }));
const settled = change('written', record(), record({ state: 'done', wakeAt: undefined }));
const cancelled = change('written', record(), record({ state: 'cancelled', wakeAt: undefined }), 'shop');
const wishing = (want: string): LedgerRecord =>
  record({ lease: LEASE, body: `{"payload":null,"wish":{"want":"${want}"}}` });
const first = message(1);
const copy = message(1);
const sent = travels('stored', first, 'shop');
const overtaken = change('granted', record({ fence: 1 }), record({ fence: 2, lease: LEASE }), 'engine-2');
const hopped = change('written', record(), promising(2, { generation: 2, body: '{"payload":null,"hop":1}' }));
const swept = change('written', record(), record({ body: '{"payload":null,"sweeps":1}' }));

/** For each rescue, a shortest story in which it happens once. */
const STORIES: Readonly<Record<(typeof JOB_RESCUES)[number], readonly Observation[]>> = {
  'a swept copy led to the attempt': [
    placed,
    sent,
    swept,
    travels('stored', copy),
    travels('delivered', copy),
    attempt('started'),
  ],
  'a duplicate collapsed': [placed, travels('delivered', first), settled, travels('delivered', first)],
  'a stale message was discarded': [
    placed,
    change('written', record(), promising(2, { generation: 2 })),
    travels('delivered', first),
  ],
  'a cancelled job stayed unstarted when its message came': [placed, cancelled, travels('delivered', first)],
  'an unsent outbox was finished later': [placed, travels('stored', first, 'engine-2')],
  'a lease was renewed': [change('renewed', record(), record())],
  "a zombie's commit was refused": [
    attempt('started'),
    attempt('returned'),
    overtaken,
    event('lease:lost', { attempt: 1 }),
  ],
  'a lost lease was noticed by the heartbeat': [attempt('started'), overtaken, event('lease:lost', { attempt: 1 })],
  'a paused host went on after its lease': [attempt('started'), host('paused'), host('resumed', MINUTE_MS)],
  'an attempt was interrupted and made again': [
    placed,
    change('granted', record({ lease: LEASE }), record({ fence: 2, lease: LEASE, interrupted: [LEASE] })),
    attempt('started', 2),
  ],
  'a failure was retried': [attempt('started'), attempt('threw', 1, new Error('no')), attempt('started', 2)],
  'a handler overran': [event('job:overran')],
  'a job died of interruptions': [event('job:dead', { reason: 'interrupted too often' })],
  'a job was parked as indeterminate': [event('job:indeterminate', { reason: 'interrupted' })],
  'a redriven job ran': [answer('redrive', 'redriven'), attempt('started')],
  'a hop was taken': [event('job:hopped')],
  'an unclear call was repeated': [answer('schedule', 'scheduled', 2)],
  'a wish to cancel was honoured': [change('written', wishing('cancel'), record({ state: 'cancelled' }))],
  'a wish to reschedule was honoured': [change('written', wishing('reschedule'), record())],
  'a running job was replaced': [answer('schedule', 'running')],
  'an unknown task was given back': [event('job:given-back', { why: 'unknown' })],
  'an unknown task was set aside': [event('job:dead', { reason: 'unknown task' })],
  'a paused job was given back': [event('job:given-back', { why: 'paused' })],
  'a job was skipped by `unless`': [event('job:skipped', { reason: 'unless' })],
  'a late job was skipped': [event('job:skipped', { reason: 'too late' })],
  'a failover forgot something': [
    { what: 'forgotten', at: 0, host: undefined, key: record().key, before: record(), after: undefined },
  ],
  'a loss of the ledger was reported': [event('ledger:loss')],
  'a malformed message was set aside': [event('delivery:malformed')],
  'a record was created on claim': [change('written', undefined, record())],
  'a tombstone stopped an on-claim job': [
    change('written', undefined, record({ state: 'cancelled', wakeAt: undefined }), 'shop'),
    answer('cancel', 'requested'),
    travels('delivered', message(0)),
  ],
  'a stopping host let its handlers end': [attempt('started'), host('stopping'), attempt('returned'), host('stopped')],
  'an outage was lived through': [event('backend:up', { downMs: MINUTE_MS })],
};

function counted(story: readonly Observation[]): readonly Rescue[] {
  const rescues = new Rescues();
  for (const observation of story) rescues.watch(observation);
  return RESCUES.flatMap((name) => Array.from({ length: rescues.counts[name] }, () => name));
}

describe('each rescue is counted where it happens, and no other', () => {
  test.each(JOB_RESCUES.map((name) => [name, STORIES[name]] as const))('%s', (name, story) => {
    expect(counted(story)).toEqual([name]);
  });
});

describe('what only looks like a rescue is not counted', () => {
  test.each<[string, readonly Observation[]]>([
    ['the message that comes after a hop', [placed, hopped, travels('delivered', message(2))]],
    ['a first delivery of a job that is settled', [placed, settled, travels('delivered', first)]],
    [
      'a second delivery of a job that nobody holds',
      [placed, travels('delivered', first), travels('delivered', first)],
    ],
    [
      'the first copy comes after all',
      [placed, sent, swept, travels('stored', copy), travels('delivered', first), attempt('started')],
    ],
    ['an outbox is sent at once by its writer', [placed, travels('stored', first, 'shop', 100)]],
    ['a pause shorter than a lease', [attempt('started'), host('paused'), host('resumed', 1000)]],
    ['a long pause with nothing to do', [host('paused'), host('resumed', MINUTE_MS)]],
    ['a pause that a crash ended', [attempt('started'), host('paused'), host('crashed'), host('resumed', MINUTE_MS)]],
    ['an attempt after a snooze', [attempt('started'), attempt('threw', 1, snooze('1m')), attempt('started', 2)]],
    ['a wish that somebody leaves', [change('written', record({ lease: LEASE }), wishing('cancel'))]],
    ['a wish on a job that is done all the same', [change('written', wishing('cancel'), record({ state: 'done' }))]],
    ['a stop that interrupts a handler', [attempt('started'), host('stopping'), host('stopped')]],
    ['a grant of a job that is due', [placed, held, travels('delivered', first), attempt('started')]],
    ['a renewal that comes after the commit', [attempt('started'), held, event('lease:lost', { attempt: 1 })]],
    ['a short hiccup', [event('backend:up', { downMs: 100 })]],
  ])('%s', (_name, story) => {
    expect(counted(story)).toEqual([]);
  });
});

test('a suite is tame as long as something never happened in any of its runs', () => {
  const runs = JOB_RESCUES.slice(1).map((name) => {
    const rescues = new Rescues();
    for (const observation of STORIES[name]) rescues.watch(observation);
    return rescues.counts;
  });
  expect(tame(merged(runs), 'mixed')).toEqual([JOB_RESCUES[0]]);
  expect(tame(merged([]), 'mixed')).toEqual(JOB_RESCUES);
  expect(tame(merged(runs), 'schedules')).toEqual(SCHEDULE_RESCUES);
  expect(merged([...runs, ...runs])[JOB_RESCUES[1]]).toBe(2);
});
