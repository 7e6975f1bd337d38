// History: what a run has shown of each job: what was promised, what was tried, how it ended. The matching reads it at the
// end.

import { Ruling } from '@carillon/core';
import type { Instant, LedgerRecord } from '@carillon/core/spi';
import type { Call, Observation } from '../observation.js';
import { envelopeOf, mayGoBack } from './job-record.js';

/** What was seen of one job. */
export interface JobHistory {
  /** When `schedule` answered that it was placed or sent. */
  acceptedAt?: Instant;
  /** The call that scheduled it. */
  call?: Call;
  placedAt?: Instant;
  /** Its record as the ledger last wrote it. */
  record?: LedgerRecord;
  gone?: 'expired' | 'removed';
  /** The fences of the attempts that started, and of those that returned. */
  readonly started: number[];
  readonly returned: number[];
  /** The words with which its handler gave up. */
  readonly gaveUp: string[];
  grants: number;
  /** When it was completed. */
  readonly completions: Instant[];
  /** Its messages at the broker. */
  sent: number;
  copied: number;
  lost: number;
  acked: number;
  delivered: number;
  cancelCalls: number;
}

const PLACED = new Set(['scheduled', 'replaced', 'running', 'sent']);

/** The histories of all jobs of a run. */
export class History {
  readonly jobs = new Map<string, JobHistory>();
  readonly #cancelsByKey = new Map<string, number>();
  readonly #schedulesByKey = new Map<string, number>();

  /** Takes an observation in. */
  watch(observation: Observation): void {
    const { at, host } = observation;
    switch (observation.what) {
      case 'record':
        if (observation.key.kind === 'job') this.#changed(observation);
        break;
      case 'forgotten':
        if (observation.key.kind === 'job') this.of(observation.key.id).record = observation.after;
        break;
      case 'message': {
        const id = envelopeOf(observation.message)?.key.id;
        if (id === undefined) break;
        const job = this.of(id);
        if (observation.change === 'stored') job.sent += 1;
        if (observation.change === 'copied') job.copied += 1;
        if (observation.change === 'acked') job.acked += 1;
        if (observation.change === 'delivered') job.delivered += 1;
        if (observation.change !== 'lost') break;
        job.lost += 1;
        if (host !== undefined) job.sent += 1; // told as sent, and lost at once
        break;
      }
      case 'attempt': {
        const { attempt, moment } = observation;
        const job = this.of(attempt.jobId);
        if (moment === 'started') {
          if (!job.started.includes(attempt.fence)) job.started.push(attempt.fence);
          break;
        }
        const { error } = observation;
        if (moment === 'returned' && error === undefined) job.returned.push(attempt.fence);
        if (error instanceof Ruling && error.verdict === 'dead' && error.reason !== undefined)
          job.gaveUp.push(error.reason);
        break;
      }
      case 'call':
        this.#called(observation.call);
        break;
      case 'answer':
        this.#repeated(observation.call, observation.tries - 1);
        if (!observation.failed && observation.call.call === 'schedule')
          this.#scheduled(observation.call, observation.answer as { outcome: string; id: string }, at);
        break;
      default:
        break;
    }
  }

  /** The history of a job. */
  of(id: string): JobHistory {
    let job = this.jobs.get(id);
    if (job === undefined) {
      job = {
        started: [],
        returned: [],
        gaveUp: [],
        completions: [],
        grants: 0,
        sent: 0,
        copied: 0,
        lost: 0,
        acked: 0,
        delivered: 0,
        cancelCalls: 0,
      };
      this.jobs.set(id, job);
    }
    return job;
  }

  /** How often business code asked to cancel what stands under a key. */
  cancelsOf(task: string, key: string): number {
    return this.#cancelsByKey.get(`${task}/${key}`) ?? 0;
  }

  /** How often business code scheduled something under a key; a repeated call may have been served each time. */
  schedulesOf(task: string, key: string): number {
    return this.#schedulesByKey.get(`${task}/${key}`) ?? 0;
  }

  #changed({ at, key, change, before, after }: Observation & { what: 'record' }): void {
    const job = this.of(key.id);
    if (change === 'removed' && mayGoBack(before!)) {
      this.jobs.delete(key.id); // it was never there (H8 of chains.ts)
      return;
    }
    if (after === undefined) {
      job.gone = change === 'expired' ? 'expired' : 'removed';
      return;
    }
    delete job.gone;
    job.record = after;
    job.placedAt ??= at;
    if (change === 'granted') job.grants += 1;
    if (after.state === 'done' && before?.state !== 'done') job.completions.push(at);
  }

  #called({ call, id, task, key }: Call): void {
    if (call === 'cancel' && id !== undefined) this.of(id).cancelCalls += 1;
    if (key === undefined) return;
    const counts = call === 'cancel' ? this.#cancelsByKey : call === 'schedule' ? this.#schedulesByKey : undefined;
    counts?.set(`${task}/${key}`, (counts.get(`${task}/${key}`) ?? 0) + 1);
  }

  #repeated({ call, task, key }: Call, times: number): void {
    if (call !== 'schedule' || key === undefined || times === 0) return;
    this.#schedulesByKey.set(`${task}/${key}`, this.schedulesOf(task, key) + times);
  }

  #scheduled(call: Call, { outcome, id }: { outcome: string; id: string }, at: Instant): void {
    if (!PLACED.has(outcome)) return;
    const job = this.of(id);
    job.acceptedAt ??= at;
    job.call ??= call;
  }
}
