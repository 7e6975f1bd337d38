import type { LedgerRecord, OutgoingMessage } from '@carillon/core/spi';
import { describe, expect, test } from 'vitest';
import type { Observation } from '../observation.js';
import { SCHEDULE_RESCUES, type ScheduleRescue, ScheduleRescues } from './schedule-rescues.js';
import { messageOf } from './story.fixture.test.js';

const MINUTE = 60_000;
const NOON = Date.UTC(2026, 0, 1, 12);
const key = { kind: 'schedule', id: 's', partition: '00' };
const lease = { holder: 'engine-1.1', nonce: 'n', since: NOON, until: NOON + MINUTE };

interface Fields {
  readonly state?: string;
  readonly generation?: number;
  readonly lease?: LedgerRecord['lease'];
  readonly body?: object;
}

/** A schedule whose next slot is a minute after noon. */
function schedule({ state = 'active', generation = 1, lease: held, body }: Fields = {}): LedgerRecord {
  const plan = { rule: { every: { minutes: 1 } }, action: { task: 'mail', payload: null }, overlap: 'skip' };
  const times = { next: NOON + MINUTE, takenTo: NOON - MINUTE, watermark: NOON - MINUTE };
  const counts = { started: 0, missed: {} };
  return {
    key,
    generation,
    version: generation,
    fence: 1,
    lease: held,
    interrupted: [],
    queue: 'default',
    task: '@schedule',
    state,
    dueAt: NOON,
    wakeAt: NOON,
    expiresAt: undefined,
    durableGrant: false,
    outbox: [],
    body: JSON.stringify({ plan, digest: 'd', edition: 1, ...times, counts, ...body }),
  };
}

function job(origin: string, more: { state?: string; reason?: string; ahead?: true } = {}): LedgerRecord {
  const occurrence = { schedule: 's', slot: NOON, origin, ...(more.ahead && { ahead: true }) };
  const { state = 'scheduled', reason } = more;
  const record = schedule({ state });
  return {
    ...record,
    key: { kind: 'job', id: 's@2026-01-01T12:00:00Z-00', partition: '00' },
    body: JSON.stringify({ payload: null, occurrence, reason }),
  };
}

function writes(before: LedgerRecord | undefined, after: LedgerRecord, at = NOON + MINUTE / 2): Observation {
  return { what: 'record', at, host: 'engine-1', change: 'written', key: after.key, before, after };
}

const delivered = (message: OutgoingMessage): Observation => {
  return { what: 'message', at: NOON, host: 'engine-1', change: 'delivered', message };
};
const ticks = (body: object, more: Fields = {}): Observation =>
  writes(schedule(), schedule({ generation: 2, body, ...more }));
const missed = (reason: string): readonly Observation[] => [ticks({ counts: { started: 0, missed: { [reason]: 1 } } })];
const edited = { edition: 2, digest: 'e' };
const gone: Observation = { what: 'forgotten', at: NOON, host: undefined, key, before: schedule(), after: undefined };
const deadLetter: LedgerRecord = { ...schedule({ state: 'dead' }), body: '{"payload":null,"reason":"record lost"}' };
const tick = messageOf(schedule());
const declared = (digest: string, edition: number): LedgerRecord => {
  const plan = { rule: {}, action: {}, overlap: 'skip', declaredBy: 'app' };
  return schedule({ generation: edition, body: { plan, digest, edition } });
};

/** For each, a shortest story in which it happens once. */
const STORIES: Readonly<Record<ScheduleRescue, readonly Observation[]>> = {
  'a lost tick was healed': [
    writes(schedule(), schedule({ body: { sweeps: 1 } })),
    writes(schedule({ body: { sweeps: 1 } }), schedule({ generation: 2, body: { takenTo: NOON } })),
  ],
  'a copy of a tick armed nothing': [writes(undefined, schedule()), delivered(tick), ticks({}), delivered(tick)],
  'a tick hopped': [ticks({ hop: 1 })],
  'a slot was missed for an overlap': missed('overlap'),
  'a slot was missed in a pause': missed('paused'),
  'a slot was missed as too late': missed('too-late'),
  'a slot was missed as excluded': missed('excluded'),
  'a slot was missed at the end': missed('ended'),
  'a slot was missed as superseded': missed('superseded'),
  'a slot was caught up on': [writes(undefined, job('catch-up'))],
  'an occurrence waited, and started then': [
    writes(schedule({ body: { waiting: [{ slot: NOON }] } }), schedule({ generation: 2 })),
    writes(undefined, job('schedule')),
  ],
  'an occurrence was stopped by the next': [
    writes(job('schedule'), job('schedule', { state: 'cancelled', reason: 'overlap' })),
  ],
  'an occurrence was triggered': [writes(undefined, job('trigger'))],
  'an occurrence was backfilled': [writes(undefined, job('backfill'))],
  'an end woke its schedule': [{ ...ticks({}), change: 'granted', key: { ...key, kind: 'bell' } } as Observation],
  'a failure paused a schedule': [ticks({}, { state: 'paused' })],
  'a limit ended a schedule': [ticks({ remaining: 0 }, { state: 'ended' })],
  'an edit came while a tick was under way': [writes(schedule({ lease }), schedule({ body: edited }))],
  'an edit came within a second of a slot': [writes(schedule(), schedule({ body: edited }), NOON + MINUTE - 900)],
  'an edit found slots untaken': [ticks({ ...edited, takenTo: NOON + MINUTE, next: NOON + 2 * MINUTE })],
  'an edit took back what was placed ahead': [
    {
      ...writes(undefined, job('schedule')),
      change: 'removed',
      before: job('schedule'),
      after: undefined,
    } as Observation,
  ],
  'an edit found begun what was placed ahead': [
    writes(
      schedule({ body: { ahead: { slot: NOON + MINUTE, dueAt: NOON + MINUTE } } }),
      schedule({ body: { ...edited, counts: { started: 1, missed: {} } } }),
    ),
  ],
  'what was placed ahead came too late, and let its schedule decide': [
    writes({ ...job('schedule', { ahead: true }), lease }, job('schedule', { ahead: true })),
  ],
  'a declared schedule flapped back': [
    writes(undefined, declared('d', 1)),
    writes(declared('d', 1), declared('e', 2)),
    writes(declared('e', 2), declared('d', 3)),
  ],
  'a deleted schedule began anew': [writes(schedule({ state: 'deleted' }), schedule({ body: edited }))],
  'a forgotten schedule was put again': [
    gone,
    writes(undefined, deadLetter),
    writes(deadLetter, schedule({ generation: 2 })),
  ],
};

function counted(story: readonly Observation[]): readonly ScheduleRescue[] {
  const found: ScheduleRescue[] = [];
  const rescues = new ScheduleRescues((rescue) => found.push(rescue));
  for (const observation of story) rescues.watch(observation);
  return found;
}

describe('each is counted where it happens, and no other', () => {
  test.each(SCHEDULE_RESCUES.map((name) => [name, STORIES[name]] as const))('%s', (name, story) => {
    expect(counted(story)).toEqual([name]);
  });
});

describe('what only looks like one is not counted', () => {
  test.each<[string, readonly Observation[]]>([
    ['a tick that comes in time', [writes(undefined, schedule()), delivered(tick), ticks({ takenTo: NOON })]],
    ['a tick that comes after an edit', [writes(undefined, schedule()), ticks(edited), delivered(tick)]],
    [
      'a swept schedule that is edited',
      [
        writes(schedule(), schedule({ body: { sweeps: 1 } })),
        writes(schedule({ body: { sweeps: 1 } }), schedule({ generation: 2, body: { ...edited, takenTo: NOON } })),
      ],
    ],
    ['an edit far from any slot', [ticks(edited)]],
    ['a pause that somebody asked for', [ticks({ edition: 2 }, { state: 'paused' })]],
    ['a rule that comes to its end', [ticks({}, { state: 'ended' })]],
    ['an occurrence that somebody cancels', [writes(job('schedule'), job('schedule', { state: 'cancelled' }))]],
    ['an occurrence in time', [writes(undefined, job('schedule'))]],
    ['another plan', [writes(undefined, declared('d', 1)), writes(declared('d', 1), declared('e', 2))]],
    ['a new schedule', [writes(undefined, schedule())]],
    ['a dead letter of a forgotten one', [gone, writes(undefined, deadLetter)]],
  ])('%s', (_name, story) => {
    expect(counted(story)).toEqual([]);
  });
});
