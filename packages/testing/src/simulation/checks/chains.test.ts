import { describe, expect, test } from 'vitest';
import type { LedgerRecord } from '@carillon/core/spi';
import { chains } from './chains.js';
import type { ScheduleBody } from './schedule-record.js';
import { messageOf, Story, T0 } from './story.fixture.test.js';

const MINUTE = 60_000;
const key = { kind: 'schedule', id: 's', partition: '00' };
const slot = (minute: number): number => T0 + minute * MINUTE;

interface Fields {
  readonly body?: Partial<ScheduleBody>;
  readonly state?: string;
  readonly generation?: number;
  readonly held?: boolean;
}

/** A schedule of every minute, whose first slot is armed. */
function schedule({ body, state = 'active', generation = 1, held = true }: Fields = {}): LedgerRecord {
  const plan = { rule: { every: { minutes: 1 } }, action: { task: 'mail', payload: null }, overlap: 'skip' };
  const counts = { started: 0, missed: {} };
  const full = { plan, digest: 'd', edition: 1, next: slot(1), takenTo: T0, watermark: T0, counts, ...body };
  return {
    key,
    generation,
    version: generation,
    fence: 1,
    lease: held ? { holder: 'engine-1.1', nonce: 'n', since: T0, until: slot(5) } : undefined,
    interrupted: [],
    queue: 'default',
    task: '@schedule',
    state,
    dueAt: full.next,
    wakeAt: full.next,
    expiresAt: undefined,
    durableGrant: false,
    outbox: [],
    body: JSON.stringify(full),
  };
}

/** The job of an occurrence. */
function occurrence(minute: number, task = 'mail'): LedgerRecord {
  const at = slot(minute);
  const id = `s@${new Date(at).toISOString().replace('.000Z', 'Z')}-00`;
  const body = JSON.stringify({ payload: null, occurrence: { schedule: 's', slot: at, origin: 'schedule' } });
  return { ...schedule(), key: { kind: 'job', id, partition: '00' }, task, state: 'scheduled', body };
}

/** What the monitor finds in one change of the schedule, with the occurrences that it places, ten minutes after its creation. */
async function change(
  before: LedgerRecord,
  after: LedgerRecord,
  placed: readonly LedgerRecord[] = [],
  {
    host = 'engine-1',
    standing = [] as readonly LedgerRecord[],
    removed = [] as readonly LedgerRecord[],
    isForgotten = false,
    at = 10 * MINUTE,
  } = {},
): Promise<readonly string[]> {
  const story = new Story(chains);
  if (isForgotten) story.tell({ what: 'forgotten', host: undefined, key, before: undefined, after: undefined });
  for (const record of standing) story.servers.ledger.records.put({ record, nonce: '' });
  await story.pass(at);
  story.tell({ what: 'record', host, change: 'written', key, before, after });
  for (const job of removed)
    story.tell({ what: 'record', host, change: 'removed', key: job.key, before: job, after: undefined });
  for (const job of placed)
    story.tell({ what: 'record', host, change: 'written', key: job.key, before: undefined, after: job });
  return story.end();
}

/** The next state of a schedule that has taken its first slot. */
const taken = (body: Partial<ScheduleBody> = {}, more: Fields = {}): LedgerRecord =>
  schedule({
    generation: 2,
    ...more,
    body: { next: slot(2), takenTo: slot(1), counts: { started: 1, missed: {} }, ...body },
  });

describe('the monitor of chains', () => {
  test('finds nothing wrong with a tick that takes its slot, places it and arms the next', async () => {
    expect(await change(schedule(), taken(), [occurrence(1)])).toEqual([]);
  });

  test('H1: one generation names one time, and is one that the schedule has had', async () => {
    const story = new Story(chains);
    const record = schedule({ generation: 7 });
    story.tell({ what: 'record', host: 'engine-1', change: 'written', key, before: undefined, after: record });
    story.message('stored', messageOf(record));
    expect(story.found).toEqual([]);
    story.message('stored', messageOf({ ...record, dueAt: slot(9) }, { number: 2 }));
    expect(story.found).toEqual([expect.stringMatching(/^I1: .* are armed in one generation/)]);
    story.message('stored', messageOf({ ...record, generation: 8 }, { number: 3 }));
    expect(story.found.at(-1)).toMatch(/^I7: .* whose change was not made/);
  });

  test('H2: the next slot follows from the last one, and its holder takes it when it is due', async () => {
    const skipped = taken({ next: T0 + 90_000 });
    expect(await change(schedule(), skipped, [occurrence(1)])).toContainEqual(
      expect.stringMatching(/^I7: the slot after/),
    );
    const stolen = await change(schedule(), taken(), [occurrence(1)], { host: 'engine-2' });
    expect(stolen).toEqual(['I7: engine-2 took slots of a schedule that it did not hold']);
    const ahead = schedule({ body: { next: slot(30), takenTo: slot(29) } });
    const early = taken({ next: slot(31), takenTo: slot(30) });
    expect(await change(ahead, early, [occurrence(30)])).toContainEqual(
      expect.stringMatching(/^I5: .* before it was due/),
    );
  });

  test('H3: what is taken is placed, waits or is missed, and has a record if it is placed', async () => {
    expect(await change(schedule(), taken())).toContain(
      'I2: 1 occurrences were counted as placed, and 0 have a record',
    );
    const silent = taken({ counts: { started: 0, missed: {} } });
    expect(await change(schedule(), silent)).toEqual(['I2: of 1 slots 0 were placed, 0 missed, and 0 wait']);
    expect(await change(schedule(), taken({ counts: { started: 0, missed: { overlap: 1 } } }))).toEqual([]);
    const waits = taken({ counts: { started: 0, missed: {} }, waiting: [{ slot: slot(1) }] });
    expect(await change(schedule(), waits)).toEqual([]);
    const limited = schedule({ body: { remaining: 1 } });
    expect(await change(limited, taken({ remaining: 0 }), [occurrence(1)])).toEqual([]);
    expect(await change(limited, taken({ remaining: 1 }), [occurrence(1)])).toHaveLength(1);
  });

  test('H4: nothing is placed that was not armed, by a schedule that is paused, or as it was before an edit', async () => {
    expect(await change(schedule(), taken(), [occurrence(5)])).toContainEqual(
      expect.stringMatching(/^I10: .* neither due/),
    );
    expect(await change(schedule(), taken(), [occurrence(1, 'old')])).toContainEqual(
      expect.stringMatching(/^I10: .* runs something else/),
    );
    const paused = schedule({ state: 'paused' });
    expect(await change(paused, taken({}, { state: 'paused' }), [occurrence(1)])).toContain(
      'I10: slots were taken of a schedule that is paused',
    );
    expect(await change(paused, schedule({ body: { edition: 2 } }))).toContain(
      'I10: what passed during a pause may start after it',
    );
    const back = schedule({ body: { digest: 'e', edition: 2, next: slot(1) } });
    expect(await change(schedule({ body: { next: slot(2), takenTo: slot(1) } }), back)).toContainEqual(
      expect.stringMatching(/^I10: an edit went back/),
    );
  });

  test('H5: no watermark passes what runs, or goes back', async () => {
    const running = taken({ running: [{ slot: slot(1) }], watermark: slot(1) });
    expect(await change(schedule(), running, [occurrence(1)])).toEqual([
      expect.stringMatching(/^I4: the watermark has passed/),
    ]);
    expect(await change(schedule({ body: { watermark: slot(1) } }), taken(), [occurrence(1)])).toContainEqual(
      expect.stringMatching(/^I4: the watermark of a schedule went/),
    );
  });

  test('H6: an occurrence is followed until it has ended, and no two at once', async () => {
    const before = schedule({ body: { running: [{ slot: T0 }] } });
    const open = { standing: [occurrence(0)] };
    expect(await change(before, taken(), [occurrence(1)], open)).toEqual([expect.stringMatching(/has not ended$/)]);
    const ended = { standing: [{ ...occurrence(0), state: 'done' }] };
    expect(await change(before, taken(), [occurrence(1)], ended)).toEqual([]);
    const both = taken({ running: [{ slot: T0 }, { slot: slot(1) }] });
    expect(await change(before, both, [occurrence(1)])).toContain('I2: 2 occurrences are followed at once');
  });

  test('H3: what stands since a tick that was forgotten may count as placed, when its turn comes; what stands otherwise not', async () => {
    const dead = { ...occurrence(1), state: 'dead', body: '{}' }; // a dead letter tells no slot
    const standing = [dead];
    expect(await change(schedule(), taken(), [], { standing, isForgotten: true })).toEqual([]);
    expect(await change(schedule(), taken(), [], { isForgotten: true })).toContain(
      'I2: 1 occurrences were counted as placed, and 0 have a record',
    );
    expect(await change(schedule(), taken(), [], { standing })).toContain(
      'I2: 1 occurrences were counted as placed, and 0 have a record',
    );

    const waits = taken({ waiting: [{ slot: slot(1) }], counts: { started: 0, missed: {} } });
    expect(await change(schedule(), waits, [], { standing, isForgotten: true })).toEqual([]);
    const starts = taken({ takenTo: slot(1), next: slot(2) }, { generation: 3 });
    expect(await change(waits, starts, [], { standing, isForgotten: true })).toEqual([]);
  });

  test('H8: what was placed ahead is found by who takes its slot, and taken back by who does anything else', async () => {
    const ahead = { slot: slot(1), dueAt: slot(1) };
    const led = (more: Fields = {}): LedgerRecord =>
      schedule({ generation: 2, ...more, body: { ahead, ...more.body } });
    const at = MINUTE - 300;
    const standing = [occurrence(1)];
    expect(await change(schedule(), led(), [occurrence(1)], { at })).toEqual([]);
    expect(await change(schedule(), led(), [], { at })).toEqual([expect.stringMatching(/has no record$/)]);
    expect(await change(schedule(), led(), [occurrence(1)], { at: MINUTE - 700 })).toEqual([
      expect.stringMatching(/placed ahead too early$/),
    ]);
    const other = led({ body: { ahead: { slot: slot(2), dueAt: slot(2) } } });
    expect(await change(schedule(), other, [occurrence(2)], { at: 2 * MINUTE - 300 })).toContainEqual(
      expect.stringMatching(/not the next slot/),
    );
    const busy = led({ body: { running: [{ slot: T0 }] } });
    expect(await change(schedule(), busy, [occurrence(1)], { at })).toContainEqual(
      expect.stringMatching(/an earlier one may not have ended$/),
    );

    expect(await change(led(), taken({}, { generation: 3 }), [], { standing })).toEqual([]);
    expect(
      await change(led(), taken({ counts: { started: 0, missed: {} } }, { generation: 3 }), [], { standing }),
    ).toContainEqual(expect.stringMatching(/^I2: of 1 slots 0 were placed/));
    expect(await change(led(), taken({}, { generation: 3 }), [occurrence(1)])).toEqual([]); // decided anew

    const pausing = schedule({ state: 'paused', generation: 3, body: { edition: 2 } });
    expect(await change(led(), pausing, [], { removed: standing })).toEqual([]);
    expect(await change(led(), pausing, [], { standing })).toContainEqual(expect.stringMatching(/not taken back$/));
    const begun = taken({ edition: 2 }, { state: 'paused', generation: 3 });
    expect(await change(led(), begun, [], { standing })).toEqual([]);
    expect(await change(schedule(), pausing, [], { removed: standing })).toEqual([
      expect.stringMatching(/was removed, and not placed ahead$/),
    ]);
  });

  test('H9: what was placed ahead and comes too late does not start as if nothing were', () => {
    const startedAt = (lateMs: number, ahead: number): readonly string[] => {
      const story = new Story(chains);
      const job = occurrence(1);
      const lease = { holder: 'engine-1.1', nonce: 'n', since: job.dueAt + lateMs, until: slot(5) };
      const body = { payload: null, occurrence: { schedule: 's', slot: slot(1), origin: 'schedule' } };
      const noted = { ahead: { slot: slot(ahead), dueAt: slot(ahead) } };
      story.servers.ledger.records.put({ record: schedule({ body: noted }), nonce: '' });
      story.servers.ledger.records.put({ record: { ...job, lease, body: JSON.stringify(body) }, nonce: '' });
      const times = { dueAt: job.dueAt, nominalAt: job.dueAt, slot: slot(1) };
      const attempt = { jobId: job.key.id, task: 'mail', number: 1, fence: 1, payload: null, ...times };
      story.tell({ what: 'attempt', host: 'engine-1', moment: 'started', attempt });
      return story.end();
    };
    expect(startedAt(5_000, 1)).toEqual([]);
    expect(startedAt(5_001, 1)).toEqual([expect.stringMatching(/^I10: .* its schedule was not asked$/)]);
    expect(startedAt(5_001, 2)).toEqual([]);
  });

  test('H7: at the end no schedule is overdue or set aside', async () => {
    const overdue = new Story(chains);
    overdue.servers.ledger.records.put({ record: schedule({ held: false }), nonce: '' });
    await overdue.pass(20 * MINUTE);
    expect(overdue.end()).toEqual([expect.stringMatching(/^I3: a schedule is overdue by 19m/)]);
    const dead = schedule({ state: 'dead', body: { reason: 'unreadable' } });
    expect(await change(schedule(), { ...dead, generation: 2 })).toContain('I8: a schedule was set aside: unreadable');
  });
});
