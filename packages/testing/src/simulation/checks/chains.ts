// Chains (I1, I7): each schedule is one chain of slots that never forks, dies or goes silent.
//
// H1  (I1) Messages of one generation of a schedule name one time: at most one future slot is armed. (I7) And it is a
//     generation that the schedule has had: who loses arms nothing.
// H2  (I7) The slot that is armed follows from the last one by the rule, step by step; what lies between was taken, by who
//     held the schedule, and not before it was due (I5).
// H3  (I2, the contract) Every slot that is taken, and everything that is asked for, is placed, waits, or is counted as
//     missed: no more and no less, and none beyond the limit. What is counted as placed has a record of its own from that very change on,
//     or, after the ledger has forgotten the schedule's last words, from before.
// H4  (I10) What is placed was armed, waited or was asked for; of a schedule that is not active only what was asked for; with
//     the task and payload of the plan that stood. An edit never goes back: its next slot is later than all that were taken.
// H5  (I4) Editions, watermarks and what was taken never decrease, and no watermark passes what runs or waits.
// H6  (I2) At most one occurrence is followed as running, and none is let go before it has ended.
// H7  (I3, I8) At the end no schedule is overdue, and none is set aside but one that the ledger has forgotten.
// H8  See placed-ahead.ts.
// H9  (I10) An occurrence that was placed ahead and comes too late does not start before its schedule has taken its slot.

import { formatDuration, type Instant, type LedgerRecord } from '@carillon/core/spi';
import type { Observation, ObservedAttempt } from '../observation.js';
import { timeOf } from '../report/plain-words.js';
import { bodyOf, envelopeOf, isSettled } from './job-record.js';
import type { MonitorMaker } from './monitor.js';
import {
  type Change,
  follow,
  idIn,
  isAheadOf,
  isLeft,
  startsTooLate,
  withoutAhead,
  wrongAhead,
} from './placed-ahead.js';
import {
  missedOf,
  nameIn,
  nameOf,
  type OccurrenceKey,
  type Request,
  ruleOf,
  type ScheduleBody,
  scheduleOf,
} from './schedule-record.js';

const SLACK_MS = 15 * 60_000;
const MOST_SLOTS = 20_000;
const OVER = new Set(['deleted', 'dead']);

/** Watches over I1 and I7, and the contract of schedules. */
export const chains: MonitorMaker = ({ servers, room, violate }) => {
  const armed = new Map<string, { readonly generation: number; readonly dueAt: Instant }>();
  const written = new Map<string, Set<number>>(); // the generations that each schedule has had
  const startedByRule = new Map<string, number>();
  const forgotten = new Set<string>();
  let change: Change | undefined;

  /** The slots from the one that was armed to the one that is; tells what is wrong with the way. */
  const taken = (id: string, was: ScheduleBody, is: ScheduleBody): readonly Instant[] => {
    const rule = ruleOf(was);
    const slots: Instant[] = [];
    let slot = was.next;
    while (slot !== undefined && slot !== is.next && (is.next === undefined || slot < is.next)) {
      if (slots.length === MOST_SLOTS) break;
      slots.push(slot);
      slot = rule.next(slot);
    }
    if (slot !== is.next) {
      const [from, to] = [was.next, is.next].map((one) => (one === undefined ? 'none' : timeOf(one)));
      violate('I7', id, `the slot after ${from} is not ${to}, by the rule`); // H2
    }
    return slots;
  };

  const asked = (request: Request, was: ScheduleBody): readonly string[] => {
    if (request.ask === 'trigger') return [nameOf({ slot: request.at, request: request.id })];
    const rule = ruleOf(was);
    const names: string[] = [];
    for (let slot = rule.next(request.from - 1); slot !== undefined && slot <= request.to; slot = rule.next(slot))
      names.push(nameOf({ slot, request: request.id }));
    return names;
  };

  const ticked = (done: Change & { before: LedgerRecord }): void => {
    const { id, host, before, after } = done;
    const [was, is] = [scheduleOf(before), scheduleOf(after)];
    const rule = ruleOf(was);
    const slots = taken(id, was, is);
    const placed = done.placed.filter((job) => !isAheadOf(job, is));
    for (const wrong of wrongAhead(done, servers.ledger)) violate('I10', id, wrong);
    const found = was.ahead !== undefined && slots.includes(was.ahead.slot) && isLeft(done, was.ahead) ? 1 : 0;
    const last = slots.at(-1);
    const stillAsked = new Set(is.requests?.map((request) => request.id));
    const answered = (was.requests ?? []).filter((request) => !stillAsked.has(request.id));
    const decides = slots.length > found || answered.length > 0 || done.placed.length > 0;
    if (decides && !before.lease?.holder.startsWith(`${host}.`))
      violate('I7', id, `${host ?? 'nobody'} took slots of a schedule that it did not hold`); // H2
    if (slots.length > 0 && before.state !== 'active')
      violate('I10', id, `slots were taken of a schedule that is ${before.state}`); // H4
    if (last !== undefined && rule.dueAt(last, id) > servers.ledger.latest)
      violate('I5', id, `the slot ${timeOf(last)} was taken before it was due`); // H2

    const waited = (was.waiting ?? []).map(nameOf);
    const requested = answered.flatMap((request) => asked(request, was));
    const excluded = last === undefined ? 0 : rule.excluded(was.takenTo, last, MOST_SLOTS).slots.length;
    const cut =
      is.remaining === 0 && before.state !== 'ended' && after.state === 'ended' && is.next !== undefined ? 1 : 0;
    const came = slots.length + excluded + cut + waited.length + requested.length;
    const mayStand = [...slots.map((slot) => ({ slot })), ...(was.waiting ?? [])];
    account(id, was, is, came, placed.length + found, standing(after, mayStand, placed));

    const stood = is.counts.started - was.counts.started - placed.length - found;
    const byRule = found + placed.filter((job) => !nameIn(job.key.id, 0).includes('~')).length;
    const used = was.remaining === undefined ? byRule : was.remaining - (is.remaining ?? 0);
    if ((was.remaining === undefined) !== (is.remaining === undefined) || used < byRule || used > byRule + stood)
      violate('I2', id, `of ${was.remaining} occurrences that the limit allows ${byRule} were placed`); // H3
    if ((is.remaining ?? 0) < 0) violate('I2', id, 'more occurrences were placed than the limit allows'); // H3
    startedByRule.set(id, (startedByRule.get(id) ?? 0) + used);
    const passed = (slot: Instant): boolean => was.gap !== undefined && slot <= was.gap.until;
    const mayStart = new Set([...waited, ...requested, ...slots.filter((slot) => !passed(slot)).map(String)]);
    for (const job of placed) {
      const { occurrence, payload } = bodyOf(job);
      const name = nameIn(job.key.id, occurrence!.slot);
      if (!mayStart.delete(name)) violate('I10', id, `${job.key.id} was placed, and was neither due nor asked for`); // H4
      const byRule = !name.includes('~');
      if (byRule && before.state !== 'active')
        violate('I10', id, `${job.key.id} was placed, and the schedule is ${before.state}`); // H4
      const { action } = was.plan;
      if (job.task !== action.task || JSON.stringify(payload) !== JSON.stringify(action.payload))
        violate('I10', id, `${job.key.id} was placed, and the schedule runs something else`); // H4
    }
  };

  /** How many of some occurrences have a record that a forgotten tick has placed (H3). */
  const standing = (
    schedule: LedgerRecord,
    slots: readonly OccurrenceKey[],
    placed: readonly LedgerRecord[],
  ): number => {
    if (!forgotten.has(schedule.key.id)) return 0;
    const placedNow = new Set(placed.map(({ key }) => key.id));
    const jobs = slots.map((one) => jobOf(schedule, one)).filter((job) => job !== undefined);
    return jobs.filter(({ key }) => !placedNow.has(key.id)).length;
  };

  /** H3. */
  const account = (id: string, was: ScheduleBody, is: ScheduleBody, came: number, placed: number, stood = 0): void => {
    const started = is.counts.started - was.counts.started;
    if (started < placed || started > placed + stood)
      violate('I2', id, `${started} occurrences were counted as placed, and ${placed} have a record`);
    const missed = missedOf(is) - missedOf(was);
    const waiting = is.waiting?.length ?? 0;
    if (came !== started + missed + waiting)
      violate('I2', id, `of ${came} slots ${started} were placed, ${missed} missed, and ${waiting} wait`);
  };

  /** How many slots of a schedule had come by then, and were not yet taken or told. */
  const untaken = ({ state }: LedgerRecord, was: ScheduleBody, until: Instant): number => {
    if (state !== 'active' && state !== 'paused') return 0;
    const rule = ruleOf(was);
    let count = 0;
    let last = was.takenTo;
    for (let slot = was.next; slot !== undefined && slot <= until; slot = rule.next(slot)) {
      count += 1;
      last = slot;
    }
    return count + rule.excluded(was.takenTo, last, MOST_SLOTS).slots.length;
  };

  const edited = (done: Change & { before: LedgerRecord }): void => {
    const { id, before, after, placed } = done;
    const is = scheduleOf(after);
    const was = withoutAhead(done, scheduleOf(before));
    if (placed.length > 0 || is.ahead !== undefined) violate('I10', id, 'an edit placed an occurrence');
    for (const wrong of wrongAhead(done, servers.ledger)) violate('I10', id, wrong);
    startedByRule.set(id, (startedByRule.get(id) ?? 0) + was.counts.started - scheduleOf(before).counts.started);
    if (after.state === 'deleted') {
      const decidedAt = Math.floor(after.generation / 1000); // a generation is a ledger's time in µs
      return account(id, was, is, untaken(before, was, decidedAt) + (was.waiting?.length ?? 0), 0);
    }
    const waited = was.waiting?.length ?? 0;
    if (was.digest === is.digest) {
      if (was.next !== is.next) violate('I10', id, 'a pause or resume changed the next slot');
      const passed = before.state === 'paused' && after.state === 'active' && was.next !== undefined;
      if (passed && is.gap === undefined) violate('I10', id, 'what passed during a pause may start after it'); // H4
      return account(id, was, is, waited, 0);
    }
    if ((is.plan.version ?? 0) < (was.plan.version ?? 0))
      violate('I10', id, 'a lower version has replaced a higher one'); // H4
    account(id, was, is, untaken(before, was, is.takenTo) + waited, 0);
    const { limit } = is.plan;
    const left = limit === undefined ? undefined : Math.max(0, limit - (startedByRule.get(id) ?? 0));
    if (is.remaining !== left && !forgotten.has(id))
      violate('I2', id, `the limit allows ${left} more occurrences, and ${is.remaining} were noted`); // H3
    if (is.next !== ruleOf(is).next(is.takenTo)) violate('I10', id, 'the next slot after an edit is not the next one'); // H4
  };

  const conclude = (done: Change): void => {
    const { id, before, after } = done;
    if (after.state === 'dead' && !forgotten.has(id))
      violate('I8', id, `a schedule was set aside: ${scheduleOf(after).reason}`); // H7
    if (before === undefined || OVER.has(before.state)) startedByRule.delete(id);
    if (before === undefined) return;
    const [was, is] = [scheduleOf(before), scheduleOf(after)];
    const sinks = (what: string, from: number, to: number): void => {
      if (to < from) violate('I4', id, `the ${what} of a schedule went from ${from} to ${to}`); // H5
    };
    sinks('edition', was.edition, is.edition);
    sinks('watermark', was.watermark, is.watermark);
    if (is.next !== undefined && is.next <= was.takenTo && was.edition !== is.edition)
      violate('I10', id, `an edit went back to the slot ${timeOf(is.next)}, which was taken`); // H4
    if (OVER.has(before.state)) return; // it begins anew
    sinks('last slot taken', was.takenTo, is.takenTo);
    if (was.edition === is.edition) ticked({ ...done, before });
    else edited({ ...done, before });
    follows(done, was, is);
  };

  /** H5, H6. */
  const follows = ({ id, after }: Change, was: ScheduleBody, is: ScheduleBody): void => {
    const { running = [], waiting = [] } = is;
    if (running.length > 1) violate('I2', id, `${running.length} occurrences are followed at once`);
    const open = [...running, ...waiting].filter(({ request }) => request === undefined);
    const passed = open.find(({ slot }) => slot <= is.watermark);
    if (passed !== undefined)
      violate('I4', id, `the watermark has passed ${timeOf(passed.slot)}, which is not settled`);
    if (after.state === 'active' && is.next !== undefined && is.next <= is.watermark)
      violate('I4', id, 'the watermark has passed the next slot');
    if (after.state === 'deleted') return;
    const kept = new Set(running.map(nameOf));
    for (const left of (was.running ?? []).filter((one) => !kept.has(nameOf(one)))) {
      const job = jobOf(after, left);
      if (job !== undefined && !isSettled(job))
        violate('I2', id, `${job.key.id} is followed no more, and has not ended`);
    }
  };

  const jobOf = (schedule: LedgerRecord, occurrence: OccurrenceKey): LedgerRecord | undefined => {
    const { partition } = schedule.key;
    return servers.ledger.records.get({ kind: 'job', id: idIn(schedule, occurrence), partition })?.record;
  };

  /** H9. */
  const started = ({ jobId, slot }: ObservedAttempt): void => {
    const key = { kind: 'job', id: jobId, partition: jobId.slice(-2) };
    const job = slot === undefined ? undefined : servers.ledger.records.get(key)?.record;
    if (job === undefined || !startsTooLate(job, servers.ledger)) return;
    violate('I10', jobId, 'an occurrence that was placed ahead started too late, and its schedule was not asked');
  };

  const flush = (observation: Observation | undefined): void => {
    if (change === undefined) return;
    const goesOn =
      observation?.what === 'record' &&
      observation.at === change.at &&
      observation.host === change.host &&
      (observation.change === 'written' || observation.change === 'removed') &&
      observation.key.kind === 'job';
    if (goesOn) {
      const { before, after } = observation;
      follow(change, before, after);
      return;
    }
    const done = change;
    change = undefined;
    conclude(done);
  };

  return {
    watch(observation) {
      flush(observation);
      const { at, host } = observation;
      if (observation.what === 'forgotten' && observation.key.kind === 'schedule') {
        armed.delete(observation.key.id);
        forgotten.add(observation.key.id);
      }
      if (observation.what === 'record' && observation.key.kind === 'schedule' && observation.change === 'written') {
        const { key, before, after } = observation;
        if (!written.has(key.id)) written.set(key.id, new Set());
        written.get(key.id)!.add(after!.generation);
        const ledgerAt = servers.ledger.latest;
        change = { at, ledgerAt, host, id: key.id, before, after: after!, placed: [], removed: [] };
      }
      if (observation.what === 'attempt' && observation.moment === 'started') started(observation.attempt);
      if (observation.what !== 'message' || observation.change !== 'stored') return;
      const envelope = envelopeOf(observation.message);
      if (envelope?.key.kind !== 'schedule') return;
      const { key, generation, dueAt } = envelope;
      if (written.get(key.id)?.has(generation) !== true)
        violate('I7', key.id, `${timeOf(dueAt)} is armed by ${host}, whose change was not made`); // H1
      const last = armed.get(key.id);
      if (last?.generation === generation && last.dueAt !== dueAt)
        violate('I1', key.id, `${timeOf(last.dueAt)} and ${timeOf(dueAt)} are armed in one generation`); // H1
      if ((last?.generation ?? 0) <= generation) armed.set(key.id, { generation, dueAt });
    },

    atEnd() {
      flush(undefined);
      const at = servers.ledger.latest;
      for (const { record } of servers.ledger.records.kind('schedule')) {
        const { key, state, dueAt, lease } = record;
        const { requests, waiting, running } = scheduleOf(record);
        const wants = state === 'active' || requests !== undefined || (waiting !== undefined && running === undefined);
        const isHeld = lease !== undefined && lease.until > at && room.isAlive(lease.holder);
        if (!wants || OVER.has(state) || isHeld) continue;
        if (record.wakeAt === undefined) violate('I3', key.id, 'a schedule that is not over wants no attention');
        if (at - dueAt > SLACK_MS) violate('I3', key.id, `a schedule is overdue by ${formatDuration(at - dueAt)}`); // H7
      }
    },
  };
};
