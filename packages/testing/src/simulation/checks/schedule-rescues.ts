// Schedule rescues: counts what chains of slots went through in a run: what came too late, twice, in the way of each other, or
// was edited meanwhile. A suite of schedules in which one of these never happened was too tame.
//
// R1  A slot counts by what its schedule has written down of it, an occurrence by its job's first record.

import type { Instant, LedgerRecord } from '@carillon/core/spi';
import type { Observation, Observer } from '../observation.js';
import { bodyOf, envelopeOf } from './job-record.js';
import { nameIn, nameOf, type ScheduleBody, scheduleOf } from './schedule-record.js';

/** Everything that must happen to schedules sometimes, by name. */
export const SCHEDULE_RESCUES = [
  'a lost tick was healed',
  'a copy of a tick armed nothing',
  'a tick hopped',
  'a slot was missed for an overlap',
  'a slot was missed in a pause',
  'a slot was missed as too late',
  'a slot was missed as excluded',
  'a slot was missed at the end',
  'a slot was missed as superseded',
  'a slot was caught up on',
  'an occurrence waited, and started then',
  'an occurrence was stopped by the next',
  'an occurrence was triggered',
  'an occurrence was backfilled',
  'an end woke its schedule',
  'a failure paused a schedule',
  'a limit ended a schedule',
  'an edit came while a tick was under way',
  'an edit came within a second of a slot',
  'an edit found slots untaken',
  'an edit took back what was placed ahead',
  'an edit found begun what was placed ahead',
  'what was placed ahead came too late, and let its schedule decide',
  'a declared schedule flapped back',
  'a deleted schedule began anew',
  'a forgotten schedule was put again',
] as const;

/** The name of one of these. */
export type ScheduleRescue = (typeof SCHEDULE_RESCUES)[number];

const MISSED: Readonly<Record<string, ScheduleRescue>> = {
  overlap: 'a slot was missed for an overlap',
  paused: 'a slot was missed in a pause',
  'too-late': 'a slot was missed as too late',
  excluded: 'a slot was missed as excluded',
  ended: 'a slot was missed at the end',
  superseded: 'a slot was missed as superseded',
};
const ORIGINS: Readonly<Record<string, ScheduleRescue>> = {
  'catch-up': 'a slot was caught up on',
  trigger: 'an occurrence was triggered',
  backfill: 'an occurrence was backfilled',
};
const SOON_MS = 1_000;

/** What there is to remember of one schedule. */
interface Trail {
  record: LedgerRecord | undefined;
  /** The guardian has sent a copy of its tick since it was last armed. */
  swept: boolean;
  forgotten: boolean;
  /** What waited before its latest change. */
  waited: ReadonlySet<string>;
  /** The plans that it has had. */
  readonly digests: Set<string>;
}

/** Counts what happens to the schedules of one run. */
export class ScheduleRescues {
  readonly #count: (rescue: ScheduleRescue) => void;
  readonly #trails = new Map<string, Trail>();
  readonly #seen = new Set<string>(); // messages that have been delivered

  constructor(count: (rescue: ScheduleRescue) => void) {
    this.#count = count;
  }

  /** Takes one observation in. */
  readonly watch: Observer = (observation) => {
    if (observation.what === 'message') this.#travelled(observation);
    if (observation.what === 'forgotten' && observation.key.kind === 'schedule' && observation.after === undefined)
      Object.assign(this.#trail(observation.key.id), { record: undefined, forgotten: true });
    if (observation.what !== 'record') return;
    const { key, change, before, after, at } = observation;
    if (key.kind === 'schedule' && after !== undefined) this.#trail(key.id).record = after;
    if (key.kind === 'schedule' && change === 'written') this.#changed(key.id, before, after!, at);
    if (key.kind === 'job' && change === 'written') this.#occurred(before, after!);
    if (key.kind === 'job' && change === 'removed') this.#count('an edit took back what was placed ahead');
    if (key.kind === 'bell' && change === 'granted') this.#count('an end woke its schedule');
  };

  #travelled({ message, change }: Observation & { what: 'message' }): void {
    const envelope = change === 'delivered' ? envelopeOf(message) : undefined;
    if (envelope?.key.kind !== 'schedule') return;
    const record = this.#trails.get(envelope.key.id)?.record;
    const isCopy = this.#seen.has(message.id);
    this.#seen.add(message.id);
    const isTaken = record !== undefined && (envelope.generation < record.generation || record.lease !== undefined);
    if (isCopy && isTaken) this.#count('a copy of a tick armed nothing');
  }

  #changed(id: string, before: LedgerRecord | undefined, after: LedgerRecord, at: Instant): void {
    const trail = this.#trail(id);
    if (after.state === 'dead') return; // a dead letter, it may be, of one that was forgotten
    const is = scheduleOf(after);
    if (before === undefined || before.state === 'dead') {
      if (trail.forgotten) this.#count('a forgotten schedule was put again');
      trail.forgotten = false;
      trail.digests.clear();
      trail.digests.add(is.digest);
      return;
    }
    const was = scheduleOf(before);
    trail.waited = new Set(was.waiting?.map(nameOf));
    if ((is.hop ?? 0) > (was.hop ?? 0)) this.#count('a tick hopped');
    if ((is.sweeps ?? 0) > (was.sweeps ?? 0)) trail.swept = true;
    else if (after.generation > before.generation) {
      if (trail.swept && is.takenTo > was.takenTo && was.edition === is.edition) this.#count('a lost tick was healed');
      trail.swept = false;
    }
    if (before.state === 'deleted')
      return after.state === 'deleted' ? undefined : this.#count('a deleted schedule began anew');
    for (const [reason, rescue] of Object.entries(MISSED))
      if ((is.counts.missed[reason] ?? 0) > (was.counts.missed[reason] ?? 0)) this.#count(rescue);
    if (was.edition === is.edition) this.#ticked(before, after);
    else this.#edited(trail, before, after, at);
  }

  #ticked(before: LedgerRecord, after: LedgerRecord): void {
    if (before.state === 'active' && after.state === 'paused') this.#count('a failure paused a schedule');
    const isSpent = scheduleOf(after).remaining === 0;
    if (before.state === 'active' && after.state === 'ended' && isSpent) this.#count('a limit ended a schedule');
  }

  #edited({ digests }: Trail, before: LedgerRecord, after: LedgerRecord, at: Instant): void {
    const [was, is] = [scheduleOf(before), scheduleOf(after)];
    if (before.lease !== undefined) this.#count('an edit came while a tick was under way');
    if (nearest(was, at) <= SOON_MS) this.#count('an edit came within a second of a slot');
    if (before.state === 'active' && was.next !== undefined && was.next <= is.takenTo && was.digest !== is.digest)
      this.#count('an edit found slots untaken');
    if (was.ahead !== undefined && is.counts.started > was.counts.started)
      this.#count('an edit found begun what was placed ahead');
    if (was.digest === is.digest) return;
    if (digests.has(is.digest) && is.plan.declaredBy !== undefined) this.#count('a declared schedule flapped back');
    digests.add(is.digest);
  }

  /** R1. */
  #occurred(before: LedgerRecord | undefined, after: LedgerRecord): void {
    const { occurrence, reason } = bodyOf(after);
    if (occurrence === undefined) return;
    const isStopped = after.state === 'cancelled' && before?.state === 'scheduled' && reason === 'overlap';
    if (isStopped) this.#count('an occurrence was stopped by the next');
    if (before !== undefined) return this.#again(before, after);
    const origin = ORIGINS[occurrence.origin];
    if (origin !== undefined) this.#count(origin);
    const name = nameIn(after.key.id, occurrence.slot);
    if (this.#trail(occurrence.schedule).waited.has(name)) this.#count('an occurrence waited, and started then');
  }

  #again(before: LedgerRecord, after: LedgerRecord): void {
    const isDeferred =
      bodyOf(after).occurrence?.ahead === true && after.state === 'scheduled' && after.lease === undefined;
    if (
      isDeferred &&
      after.generation === before.generation &&
      after.body === before.body &&
      before.lease !== undefined
    )
      this.#count('what was placed ahead came too late, and let its schedule decide');
  }

  #trail(id: string): Trail {
    let trail = this.#trails.get(id);
    if (trail === undefined) {
      trail = { record: undefined, swept: false, forgotten: false, waited: new Set(), digests: new Set() };
      this.#trails.set(id, trail);
    }
    return trail;
  }
}

/** How far the nearest slot is: the one that comes next, or the last that was taken. */
function nearest({ next, takenTo }: ScheduleBody, at: Instant): number {
  return Math.min(Math.abs((next ?? Infinity) - at), Math.abs(takenTo - at));
}
