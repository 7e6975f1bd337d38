// Attempts: runs handlers under the heartbeat and commits what comes of them.
//
// U1  A lease that is lost ends the attempt: the handler is told, and nothing it does is recorded.
// U2  The commit compares fence and version. On a conflict the record is read again and settled again: done stays done,
//     a retry yields to the wish. With another fence the lease is lost; without a lease this very commit has happened, its
//     answer was lost, and somebody has written since: only a holder's commit resolves a lease.
// U3  At a stop: first every handler may finish, then it is told to stop, then it is given back.
// U4  An effect that the handler has asked for goes with the commit of its success and with no other. If it fails, so does the
//     attempt; if a part of it has happened, the job is dead: another attempt would do that part again.

import { CarillonError } from '../errors.js';
import { encodePayload } from '../message/payload.js';
import type { ChangeAnswer, Grant, Ledger, LedgerRecord } from '../ports/ledger.js';
import type { Delivery } from '../ports/transport.js';
import type { Ended, Outcome, Step, Work } from '../task/kind.js';
import type { Logger } from '../task/logger.js';
import type { Clock, Ids } from '../time/clock.js';
import type { Instant } from '../time/instant.js';
import { type AttemptHost, OVERRUN_MS, RunningAttempt } from './attempt.js';
import type { Availability } from './availability.js';
import type { Commits } from './commits.js';
import type { Events } from './events.js';
import type { Heartbeat } from './heartbeat.js';
import { happened, Hold, Settlement, type Way } from './hold.js';
import type { LedgerTime } from './ledger-time.js';
import { Roster } from './roster.js';

/** What attempts need. */
export interface AttemptsParts {
  readonly ledger: Ledger;
  readonly commits: Commits;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly time: LedgerTime;
  readonly availability: Availability;
  readonly heartbeat: Heartbeat;
  readonly events: Events;
  readonly log: Logger;
  readonly worker: string;
  readonly namespace: string;
  readonly maxResultBytes: number;
}

/** The attempts that one engine is making. */
export class Attempts {
  readonly #parts: AttemptsParts;
  readonly #host: AttemptHost;
  readonly #running = new Roster<RunningAttempt>(); // those whose handlers wait

  constructor(parts: AttemptsParts) {
    const { clock, log, namespace, time, ledger } = parts;
    this.#parts = parts;
    this.#host = {
      clock,
      log,
      namespace,
      now: () => time.now(),
      keepProgress: (work, record, value) => this.#keepProgress(work, record, value),
      takesEffect: (effect) => ledger.takesEffect?.(effect) === true,
    };
  }

  /** Makes one attempt and commits its outcome; `way` hears of it. Its lease was last renewed at `renewedAt`, by default just
   *  now. */
  make(delivery: Delivery, grant: Grant, work: Work, way: Way, renewedAt = this.#parts.clock.monotonic()): void {
    const { heartbeat, events, time } = this.#parts;
    const startedAt = time.now();
    const attempt = new RunningAttempt(this.#host, work, grant, startedAt);
    const hold = new Hold(this, delivery, grant, work, attempt, way);

    if (events.hears('job:started')) {
      const latenessMs = Math.max(0, startedAt - work.dueAt);
      events.emit('job:started', { attempt: work.number, latenessMs, late: work.late, ...this.#about(work) });
    }
    hold.beat = heartbeat.add(hold, renewedAt);
    const run = attempt.run();
    if (!(run instanceof Promise)) return this.#ended(hold, startedAt, run);
    this.#running.add(attempt);
    void run.then((outcome) => this.#ended(hold, startedAt, outcome));
  }

  /** Tells every running handler to stop. */
  stopAll(): void {
    for (const attempt of this.#running.all()) attempt.stop('stopping');
  }

  /** Ends every attempt without waiting for its handler: it counts as an interruption (U3). */
  giveUpAll(): void {
    for (const attempt of this.#running.all()) attempt.abandon({ outcome: 'interrupted' });
  }

  #ended(hold: Hold, startedAt: Instant, outcome: Outcome | undefined): void {
    const { time, worker } = this.#parts;
    const { work, attempt, way } = hold;
    try {
      this.#running.remove(attempt);
      if (outcome?.outcome === 'timed-out' && !outcome.ended) this.#overran(work, 'time-out');
      way.handlerEnded();
      if (outcome === undefined) return this.#recorded(hold, undefined);
      hold.committing = true;
      const over = { worker, startedAt, endedAt: time.now() };
      this.#commit(hold, this.#storable(work, outcome), over, attempt.record);
    } catch (error) {
      this.failed(hold, error);
    }
  }

  #commit(hold: Hold, outcome: Outcome, over: Ended, record: LedgerRecord): void {
    const { commits, ids } = this.#parts;
    const step = hold.work.settle(record, outcome, over);
    const change = { nonce: ids.nonce(), writes: step.writes, durable: true };
    const { effect } = hold.attempt;
    const withEffect = outcome.outcome === 'done' && effect !== undefined;
    const whole = withEffect ? { effect, ...change } : change;
    commits.commit(new Settlement(this, { hold, outcome, over, record, step, change: whole }));
  }

  /** Goes on with the ledger's answer to an outcome, which is settled again until it counts or the lease is lost (U2). */
  answered({ hold, outcome, over, record, step }: Settlement, answer: ChangeAnswer | undefined): void {
    const { fence } = hold.grant;
    try {
      if (answer?.answer === 'ok') return this.#recorded(hold, step);
      if (answer?.answer === 'conflict' && answer.record?.fence === fence) {
        if (answer.record.lease === undefined) return this.#recorded(hold, happened(step, answer.record)); // U2
        return this.#commit(hold, outcome, over, answer.record); // U2
      }
      if (answer?.answer === 'failed') {
        const verdict = answer.partly ? 'dead' : 'retry'; // U4
        const failed: Outcome = { outcome: 'failed', error: new Error(answer.reason), verdict };
        return this.#commit(hold, failed, over, record);
      }
      const { work } = hold;
      if (answer !== undefined) {
        this.#parts.events.emit('lease:lost', { attempt: work.number, ...this.#about(work) });
      }
      this.#recorded(hold, undefined);
    } catch (error) {
      this.failed(hold, error);
    }
  }

  #recorded({ beat, way }: Hold, step: Step | undefined): void {
    if (beat !== undefined) this.#parts.heartbeat.remove(beat);
    way.recorded(step);
  }

  /** Ends an attempt of which nothing can be recorded. */
  failed({ beat, way }: Hold, error: unknown): void {
    if (beat !== undefined) this.#parts.heartbeat.remove(beat);
    way.failed(error);
  }

  async #keepProgress(work: Work, record: LedgerRecord, value: unknown): Promise<LedgerRecord> {
    const { ledger, ids, availability, maxResultBytes } = this.#parts;
    encodePayload(value, maxResultBytes, 'progress');
    for (let current = record; ;) {
      const write = work.progress(current, value);
      const changes = [{ nonce: ids.nonce(), writes: [write], durable: false }];
      const [answer] = (await availability.persist(() => ledger.commit(changes))) ?? [];
      if (answer?.answer === 'conflict' && answer.record?.fence === record.fence) {
        current = answer.record;
        continue;
      }
      if (answer?.answer !== 'ok' || write.do !== 'put') return record;
      return { ...current, ...write.content, version: current.version + 1 };
    }
  }

  /** Reads the record that somebody has changed: there may be a wish. */
  async look({ attempt, work, grant: { fence } }: Hold): Promise<void> {
    const { ledger, availability } = this.#parts;
    try {
      const [record] = await ledger.read([attempt.record.key]);
      if (record === undefined || record.fence !== fence) return;
      attempt.record = record;
      if (work.wantsAbort(record)) attempt.stop('cancelled');
    } catch (error) {
      availability.report(error);
    }
  }

  /** Ends an attempt whose lease is gone (U1). */
  lose({ attempt, work }: Hold): void {
    const { events } = this.#parts;
    events.emit('lease:lost', { attempt: work.number, ...this.#about(work) });
    attempt.stop('lost');
    attempt.abandon(undefined); // U1
    this.#parts.clock.after(OVERRUN_MS, () => {
      if (!attempt.handlerEnded) this.#overran(work, 'lost lease');
    });
  }

  #overran(work: Work, why: string): void {
    const { log, events } = this.#parts;
    log.warn(
      { task: work.entry.task.name, jobId: work.id },
      `a handler goes on after its ${why}; what it does counts for nothing`,
    );
    events.emit('job:overran', { attempt: work.number, why, ...this.#about(work) });
  }

  /** A result that can't be kept does not undo the work: it is left out, and said so. */
  #storable(work: Work, outcome: Outcome): Outcome {
    if (outcome.outcome !== 'done' || outcome.result === undefined) return outcome;
    try {
      encodePayload(outcome.result, this.#parts.maxResultBytes, `the result of task ${work.entry.task.name}`);
      return outcome;
    } catch (error) {
      const kept = CarillonError.is(error) ? error.message : String(error);
      this.#parts.log.warn({ task: work.entry.task.name, jobId: work.id }, `a result is not kept: ${kept}`);
      return { outcome: 'done', result: undefined };
    }
  }

  #about(work: Work): { id: string; task: string; queue: string; key: string | undefined } {
    return { id: work.id, task: work.entry.task.name, queue: work.queue, key: work.key };
  }
}
