// Schedule kind: schedules as the runtime sees them: which writes, messages and events follow from each tick.
//
// T1  A tick is one change: the next slot, the occurrences' own records, and every message in the schedule's outbox. Only the
//     winner's change is made, so losers arm nothing (I1, I7).
// T2  What runs is in the same partition, so a tick sees how it stands, and a change of it makes the tick look again.
// T3  An occurrence that stands already was placed by an earlier life of the schedule, whose record the ledger has lost: it is
//     taken for what was to be placed, and not placed again (O1 of occurrence.ts).
// T4  A rule that this host can't read (an older version, a zone it lacks) is left for another, and never lost.
// T5  Only where the record is the message is an occurrence placed ahead: what was sent could not be taken back.

import { cancel, end } from '../job/amend.js';
import { STRANGER, UNKNOWN } from '../job/arrive.js';
import { type Carriage, GRACE_MS, UNSENT_MS } from '../job/carriage.js';
import { isSettled, nextGeneration, readJob } from '../job/job.js';
import type { Envelope } from '../message/envelope.js';
import { idOf } from '../message/names.js';
import type { Expectation, LedgerRecord, OutboxEntry, RecordContent, Write } from '../ports/ledger.js';
import type { Rule } from '../rule/rule.js';
import type { Happening, ScheduleEvent } from '../task/events.js';
import type { Arrived, Early, Kind, Step } from '../task/kind.js';
import type { Instant } from '../time/instant.js';
import { type Advance, advance } from './advance.js';
import { startOf, takeAhead } from './ahead.js';
import { arm, tickAt, tickMessage } from './arm.js';
import { inRows } from './memory.js';
import { occurrenceId, occurrenceRecord, placeOccurrence } from './occurrence.js';
import type { RuleOf } from './rules.js';
import {
  type OccurrenceKey,
  readSchedule,
  type Schedule,
  SCHEDULE_READER,
  type Start,
  withBody,
  writeSchedule,
} from './schedule.js';

/** What the kind is made of. */
export interface ScheduleKindParts {
  readonly namespace: string;
  readonly carriage: () => Carriage;
  readonly ruleOf: RuleOf;
}

const LONGEST_SWEEP_MS = 60_000; // the stated bound: a lost tick is healed within about this

/** Makes the kind `schedule`. */
export function scheduleKind(parts: ScheduleKindParts): Kind {
  const { namespace, carriage, ruleOf } = parts;

  const put = (record: LedgerRecord, expect: Expectation, content: RecordContent): Write => {
    return { do: 'put', key: record.key, expect, content };
  };

  const step = (writes: readonly Write[], content: RecordContent, happenings: Step['happenings']): Step => {
    return { writes, outbox: content.outbox.map(({ message }) => message), happenings };
  };

  /** The step of a decision: one change (T1). */
  const tick = (decided: Advance, { record, rule, seen, now }: Look, expect: Expectation): Step => {
    const { schedule, stop, ahead } = decided;
    const writes: Write[] = [];
    const promised: OutboxEntry[] = [];
    const starts: Start[] = decided.taken === undefined ? [] : [startOf(decided.taken)];
    let back = decided.back && seen.followed.get(nameOf(decided.back));
    for (const { start, dueAt } of decided.starts) {
      const { write, promised: message } = placeOccurrence(namespace, schedule, start, { dueAt, now }, carriage());
      if (seen.standing.has(write.key.id)) continue; // T3
      starts.push(start);
      if (back?.key.id === write.key.id) {
        writes.push({ ...write, expect: { version: back.version } }); // it is due all the same
        back = undefined;
      } else writes.push(write);
      if (message !== undefined) promised.push(message);
    }
    if (back !== undefined) writes.push({ do: 'remove', key: back.key, expect: { version: back.version } });
    if (ahead !== undefined) {
      const after = takeAhead(schedule, ahead, rule, now);
      const { write } = placeOccurrence(namespace, after, startOf(ahead), { dueAt: ahead.dueAt, now }, carriage());
      if (!seen.standing.has(write.key.id)) writes.push(write); // T3
    }
    for (const running of stop?.running ?? []) {
      const stopping = seen.followed.get(nameOf(running));
      if (stopping === undefined || isSettled(readJob(stopping))) continue;
      if (stop?.how === 'end') writes.push(end(stopping, STOPPED_BY_NEXT, now, STRANGER));
      else writes.push(...cancel(namespace, stopping, STOPPED_BY_NEXT, now, STRANGER, carriage().fused).writes);
    }
    const content = arm(schedule, now, carriage(), promised);
    const before = readSchedule(record);
    return step([put(record, expect, content), ...writes], content, () => told(namespace, before, decided, starts));
  };

  return {
    name: 'schedule',

    create: () => ({ malformed: 'a schedule is never started by a message' }),

    concerns(record) {
      try {
        return followedBy(readSchedule(record)).map((one) => occurrenceRecord(namespace, record.key, one));
      } catch {
        return []; // `arrive` says what is wrong with it
      }
    },

    arrive(record, now, _paused, seen = []): Arrived {
      const schedule = readSchedule(record);
      const expect: Expectation = { version: record.version, fence: record.fence };
      const rule = (schedule.body.reader ?? 1) > SCHEDULE_READER ? undefined : readable(ruleOf, schedule);
      if (rule === undefined) {
        const content = arm(schedule, now, carriage(), [], now + UNKNOWN.everyMs); // T4
        return { to: 'write', step: step([put(record, expect, content)], content, NOTHING), guard: undefined };
      }
      const sightings = sightingsOf(schedule, seen);
      const decided = advance(schedule, {
        now,
        rule,
        id: idOf(namespace, record.key),
        recordOf: (one) => sightings.followed.get(nameOf(one)),
        placesAhead: carriage().fused, // T5
      });
      const look = { record, rule, seen: sightings, now };
      return { to: 'write', step: tick(decided, look, expect), guard: undefined };
    },

    early(record: LedgerRecord, envelope: Envelope, now: Instant): Early {
      const schedule = readSchedule(record);
      if ((schedule.body.hop ?? 0) !== envelope.hop) return { to: 'ack' }; // another copy has hopped
      const content = arm(withBody(schedule, { hop: envelope.hop + 1 }), now, carriage());
      return {
        to: 'hop',
        step: step([put(record, { version: record.version }, content)], content, NOTHING),
        guard: undefined,
      };
    },

    resend(record: LedgerRecord, now: Instant, jitter: number): Step {
      const schedule = readSchedule(record);
      const expect: Expectation = { version: record.version };
      if (record.outbox.length > 0) {
        const again = Math.round(now + UNSENT_MS * (1 + jitter)); // it stays promised until it is sent
        const content = writeSchedule(schedule, again, record.outbox);
        return step([put(record, expect, content)], content, NOTHING);
      }
      const sweeps = (schedule.body.sweeps ?? 0) + 1;
      const graceMs = Math.min(GRACE_MS * 2 ** Math.min(sweeps, 16), LONGEST_SWEEP_MS) * (1 + jitter / 2);
      const deliverAt = tickAt(Math.max(schedule.dueAt, now), now, carriage());
      const lastMessageAt = Math.max(deliverAt, schedule.body.lastMessageAt ?? 0);
      const swept = withBody(schedule, { sweeps, lastMessageAt });
      const content = writeSchedule(swept, Math.round(Math.max(now, deliverAt) + graceMs));
      return {
        writes: [put(record, expect, content)],
        outbox: [tickMessage(schedule, deliverAt)],
        happenings: NOTHING,
      };
    },

    setAside(record: LedgerRecord, expect: Expectation, reason: string, now: Instant): Step {
      const { key, version: _version, fence: _fence, lease: _lease, interrupted: _interrupted, ...content } = record;
      const schedule = readableSchedule(record);
      const dead: RecordContent = {
        ...content,
        state: 'dead',
        generation: nextGeneration(record.generation, now),
        wakeAt: undefined,
        outbox: [],
        ...(schedule && { body: JSON.stringify({ ...schedule.body, reason }) }),
      };
      const about = { schedule: idOf(namespace, key), task: schedule?.body.plan.action.task ?? '' };
      return step([put(record, expect, dead)], dead, () => [{ event: 'schedule:dead', data: { ...about, reason } }]);
    },
  };
}

/** What was seen: the occurrences that a schedule follows, by name, and the ids of records that stand where one was to be
 *  placed. */
interface Sightings {
  readonly followed: ReadonlyMap<string, LedgerRecord | undefined>;
  readonly standing: ReadonlySet<string>;
}

/** What a tick looks at. */
interface Look {
  readonly record: LedgerRecord;
  readonly rule: Rule;
  readonly seen: Sightings;
  readonly now: Instant;
}

const NONE: ReadonlySet<string> = new Set();

function sightingsOf(schedule: Schedule, seen: readonly (LedgerRecord | undefined)[]): Sightings {
  const followed = followedBy(schedule);
  const standing = seen.slice(followed.length).flatMap((record) => record?.key.id ?? []);
  return {
    followed: new Map(followed.map((one, index) => [nameOf(one), seen[index]])),
    standing: standing.length === 0 ? NONE : new Set(standing),
  };
}

/** The occurrences whose records a decision rests on: what runs, and what was placed ahead. */
function followedBy({ body: { running = [], ahead } }: Schedule): readonly OccurrenceKey[] {
  return ahead === undefined ? running : [...running, startOf(ahead)];
}

function nameOf({ slot, request }: Pick<OccurrenceKey, 'slot' | 'request'>): string {
  return request === undefined ? String(slot) : `${slot}~${request}`;
}

const STOPPED_BY_NEXT = { want: 'cancel', abort: true, reason: 'overlap' } as const;
const NOTHING = (): readonly Happening[] => [];

/** What a decision has to tell. */
function told(
  namespace: string,
  before: Schedule,
  { schedule, misses }: Advance,
  starts: readonly Start[],
): readonly Happening[] {
  const about: ScheduleEvent = {
    schedule: idOf(namespace, schedule.record),
    task: schedule.body.plan.action.task,
  };
  const { state, body } = schedule;
  return [
    ...inRows(misses).map((miss): Happening => ({ event: 'schedule:missed', data: { ...about, ...miss } })),
    ...starts.map((start): Happening => {
      const id = occurrenceId(namespace, schedule.record, start);
      return { event: 'schedule:occurred', data: { ...about, id, slot: start.slot, origin: start.origin } };
    }),
    ...(state === 'paused' && before.state !== state
      ? [{ event: 'schedule:paused', data: { ...about, note: body.note } } as const]
      : []),
    ...(state === 'ended' && before.state !== state ? [{ event: 'schedule:ended', data: about } as const] : []),
  ];
}

function readable(ruleOf: RuleOf, schedule: Schedule): ReturnType<RuleOf> | undefined {
  try {
    return ruleOf(schedule);
  } catch {
    return undefined; // T4
  }
}

function readableSchedule(record: LedgerRecord): Schedule | undefined {
  try {
    return readSchedule(record);
  } catch {
    return undefined; // only its text is kept
  }
}
