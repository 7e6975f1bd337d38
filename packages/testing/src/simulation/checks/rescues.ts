// Rescues: counts how often each way out of trouble was taken in a run, so that a suite can say that it was not too tame.
//
// R1  Counting changes nothing: it only looks at what a run shows of itself.
// R2  Each observation costs the same, however many jobs there are.

import type { Instant, OutgoingMessage } from '@carillon/core/spi';
import { Ruling } from '@carillon/core';
import type { Observation, Observer } from '../observation.js';
import { attemptOf, countOf, jobOf, type JobTrail, noteAttempt, numberOf, startTrail, wishOf } from './job-trail.js';
import { SCHEDULE_RESCUES, ScheduleRescues } from './schedule-rescues.js';

/** Every way out of trouble that jobs take, by name. */
export const JOB_RESCUES = [
  'a swept copy led to the attempt',
  'a duplicate collapsed',
  'a stale message was discarded',
  'a cancelled job stayed unstarted when its message came',
  'an unsent outbox was finished later',
  'a lease was renewed',
  "a zombie's commit was refused",
  'a lost lease was noticed by the heartbeat',
  'a paused host went on after its lease',
  'an attempt was interrupted and made again',
  'a failure was retried',
  'a handler overran',
  'a job died of interruptions',
  'a job was parked as indeterminate',
  'a redriven job ran',
  'a hop was taken',
  'an unclear call was repeated',
  'a wish to cancel was honoured',
  'a wish to reschedule was honoured',
  'a running job was replaced',
  'an unknown task was given back',
  'an unknown task was set aside',
  'a paused job was given back',
  'a job was skipped by `unless`',
  'a late job was skipped',
  'a failover forgot something',
  'a loss of the ledger was reported',
  'a malformed message was set aside',
  'a record was created on claim',
  'a tombstone stopped an on-claim job',
  'a stopping host let its handlers end',
  'an outage was lived through',
] as const;

/** All that is counted. */
export const RESCUES = [...JOB_RESCUES, ...SCHEDULE_RESCUES] as const;

/** The name of a way out of trouble. */
export type Rescue = (typeof RESCUES)[number];

/** How often each has happened. */
export type RescueCounts = Readonly<Record<Rescue, number>>;

/** Adds up the counts of several runs. */
export function merged(counts: Iterable<RescueCounts>): RescueCounts {
  const sum = nothing();
  for (const one of counts) for (const name of RESCUES) sum[name] += one[name];
  return sum;
}

/** What a workload is there to bring about. */
export function rescuesOf(workload: string): readonly Rescue[] {
  return workload === 'schedules' || workload === 'weeks' ? SCHEDULE_RESCUES : JOB_RESCUES;
}

/** What of that never happened: a suite for which this is not empty was too tame. */
export function tame(counts: RescueCounts, workload: string): readonly Rescue[] {
  return rescuesOf(workload).filter((name) => counts[name] === 0);
}

/** What events say, as far as it counts here. */
interface Told {
  readonly id?: string;
  readonly reason?: string;
  readonly why?: string;
  readonly attempt?: number;
  readonly downMs?: number;
}

const LEASE_MS = 30_000;
const OUTAGE_MS = 20_000;
const SOON_MS = 5_000;

/** Counts the rescues of one run. */
export class Rescues {
  readonly #counts = nothing();
  readonly #schedules = new ScheduleRescues((rescue) => this.#count(rescue));
  readonly #jobs = new Map<string, JobTrail>();
  readonly #running = new Map<string, Set<string>>(); // host → attempts in its handlers
  readonly #stoodStill = new Map<string, Instant>();
  readonly #stopping = new Set<string>();
  readonly #resent = new WeakSet<OutgoingMessage>();
  readonly #seen = new WeakSet<OutgoingMessage>();

  get counts(): RescueCounts {
    return this.#counts;
  }

  /** Takes one observation in. */
  readonly watch: Observer = (observation) => {
    this.#schedules.watch(observation);
    switch (observation.what) {
      case 'record':
        return this.#changed(observation);
      case 'forgotten':
        if (observation.key.kind === 'job') this.#trail(observation.key.id).record = observation.after;
        return this.#count('a failover forgot something');
      case 'message':
        return this.#travelled(observation);
      case 'attempt':
        return this.#attempted(observation);
      case 'answer':
        return this.#answered(observation);
      case 'event':
        return this.#told(observation);
      case 'host':
        return this.#moved(observation);
      default:
        return undefined;
    }
  };

  #changed({ key, change, before, after, host, at }: Observation & { what: 'record' }): void {
    if (change === 'renewed') this.#count('a lease was renewed');
    if (key.kind !== 'job') return;
    if (after === undefined) return void this.#jobs.delete(key.id);
    const job = this.#trail(key.id);
    job.record = after;
    const created = change === 'written' && before === undefined;
    if (created && host !== 'shop' && after.state === 'scheduled') this.#count('a record was created on claim');
    if (change === 'granted') job.interrupted ||= after.interrupted.length > (before?.interrupted.length ?? 0);
    if (change !== 'written') return;

    if (before !== undefined && countOf('hop', after.body) > countOf('hop', before.body)) job.hopped = job.latest;
    const entry = after.outbox.at(-1);
    if (entry !== undefined) {
      const number = numberOf(entry.message.id);
      if (number !== job.latest) job.promised = { number, at, host };
      if (before === undefined || after.generation > before.generation) job.first = number;
      job.latest = number;
    }
    if (before === undefined) return;
    if (countOf('sweeps', after.body) > countOf('sweeps', before.body)) job.sweptBy = host;
    const wish = before.lease === undefined || after.lease !== undefined ? undefined : wishOf(before.body);
    if (wish === 'cancel' && after.state === 'cancelled') this.#count('a wish to cancel was honoured');
    if (wish === 'reschedule' && after.state === 'scheduled') this.#count('a wish to reschedule was honoured');
  }

  #travelled({ message, change, host, at }: Observation & { what: 'message' }): void {
    const job = this.#jobs.get(jobOf(message.id));
    if (job === undefined) return;
    if (change === 'stored' || change === 'lost') {
      const { promised } = job;
      if (promised?.number === numberOf(message.id)) {
        const later = promised.host !== host || at - promised.at > SOON_MS;
        if (later && change === 'stored') this.#count('an unsent outbox was finished later');
        job.promised = undefined;
      }
      if (job.sweptBy === host && host !== undefined) {
        this.#resent.add(message);
        job.sweptBy = undefined;
      }
    }
    if (change === 'delivered') this.#delivered(job, message);
  }

  #delivered(job: JobTrail, message: OutgoingMessage): void {
    const again = this.#seen.has(message) || this.#resent.has(message);
    this.#seen.add(message);
    job.byCopy = this.#resent.has(message);
    const { record, tombstone } = job;
    if (record === undefined) return;
    const number = numberOf(message.id);
    if (record.state === 'cancelled' && tombstone) return this.#count('a tombstone stopped an on-claim job');
    if (record.state === 'cancelled' && !again) this.#count('a cancelled job stayed unstarted when its message came');
    if (again && (record.wakeAt === undefined || record.lease !== undefined)) this.#count('a duplicate collapsed');
    if (record.wakeAt === undefined || record.lease !== undefined) return;
    if (number < job.first) this.#count('a stale message was discarded');
  }

  #attempted(observation: Observation & { what: 'attempt' }): void {
    const { attempt, host, moment } = observation;
    const job = this.#trail(attempt.jobId);
    const running = this.#runningOn(host);
    const name = `${attempt.jobId}/${attempt.fence}`;
    const { number, fence } = attempt;
    noteAttempt(job, { host, number, fence, ended: moment !== 'started' });
    if (moment !== 'started') {
      running.delete(name);
      job.failed = moment === 'threw' && !(observation.error instanceof Ruling);
      return;
    }
    running.add(name);
    if (job.byCopy) this.#count('a swept copy led to the attempt');
    if (job.interrupted) this.#count('an attempt was interrupted and made again');
    else if (attempt.number > 1 && job.failed) this.#count('a failure was retried');
    if (job.redriven) this.#count('a redriven job ran');
    Object.assign(job, { byCopy: false, interrupted: false, redriven: false, failed: false });
  }

  #answered({ call, answer, failed, tries }: Observation & { what: 'answer' }): void {
    if (tries > 1) this.#count('an unclear call was repeated');
    if (failed) return;
    const { outcome, id } = answer as { readonly outcome: string; readonly id?: string };
    if (call.call === 'schedule' && outcome === 'running') this.#count('a running job was replaced');
    if (id === undefined) return;
    if (outcome === 'redriven') this.#trail(id).redriven = true;
    if (outcome === 'requested') this.#trail(id).tombstone = true;
  }

  #told({ event, data, host }: Observation & { what: 'event' }): void {
    const { id = '', reason, why, attempt, downMs = 0 } = data as Told;
    if (event === 'lease:lost') this.#lost(id, host, attempt);
    if (event === 'job:hopped') this.#count('a hop was taken');
    if (event === 'job:overran') this.#count('a handler overran');
    if (event === 'ledger:loss') this.#count('a loss of the ledger was reported');
    if (event === 'delivery:malformed') this.#count('a malformed message was set aside');
    if (event === 'backend:up' && downMs > OUTAGE_MS) this.#count('an outage was lived through');
    if (event === 'job:indeterminate') this.#count('a job was parked as indeterminate');
    if (event === 'job:dead' && reason === 'interrupted too often') this.#count('a job died of interruptions');
    if (event === 'job:dead' && reason === 'unknown task') this.#count('an unknown task was set aside');
    if (event === 'job:skipped')
      this.#count(reason === 'too late' ? 'a late job was skipped' : 'a job was skipped by `unless`');
    if (event === 'job:given-back')
      this.#count(why === 'paused' ? 'a paused job was given back' : 'an unknown task was given back');
  }

  /** Told also of a renewal that an attempt's own commit has overtaken; only a newer fence makes a zombie. */
  #lost(id: string, host: string | undefined, number: number | undefined): void {
    const job = this.#jobs.get(id);
    const attempt = job && attemptOf(job, host, number);
    if (attempt === undefined || (job?.record?.fence ?? Infinity) <= attempt.fence) return;
    this.#count(attempt.ended ? "a zombie's commit was refused" : 'a lost lease was noticed by the heartbeat');
  }

  #moved({ host = '', change, at }: Observation & { what: 'host' }): void {
    const running = this.#runningOn(host);
    if (change === 'started' || change === 'crashed') {
      running.clear();
      this.#stopping.delete(host);
      this.#stoodStill.delete(host);
    }
    if (change === 'paused' && running.size > 0) this.#stoodStill.set(host, at);
    if (change === 'resumed') {
      if (at - (this.#stoodStill.get(host) ?? at) > LEASE_MS) this.#count('a paused host went on after its lease');
      this.#stoodStill.delete(host);
    }
    if (change === 'stopping' && running.size > 0) this.#stopping.add(host);
    if (change === 'stopped' && this.#stopping.delete(host) && running.size === 0)
      this.#count('a stopping host let its handlers end');
  }

  #runningOn(host = ''): Set<string> {
    let running = this.#running.get(host);
    if (running === undefined) this.#running.set(host, (running = new Set()));
    return running;
  }

  #trail(id: string): JobTrail {
    let job = this.#jobs.get(id);
    if (job === undefined) this.#jobs.set(id, (job = startTrail()));
    return job;
  }

  #count(rescue: Rescue): void {
    this.#counts[rescue] += 1;
  }
}

function nothing(): Record<Rescue, number> {
  return Object.fromEntries(RESCUES.map((name) => [name, 0])) as Record<Rescue, number>;
}
