// Hold: what is kept of one attempt until its outcome is recorded: for the heartbeat, for its commit, and for the way that
// its delivery goes on.

import type { Change, ChangeAnswer, Grant, LedgerRecord } from '../ports/ledger.js';
import type { Delivery } from '../ports/transport.js';
import type { Ended, Outcome, Step, Work } from '../task/kind.js';
import type { RunningAttempt } from './attempt.js';
import type { Attempts } from './attempts.js';
import type { Decided } from './commits.js';
import type { Beat, Held } from './heartbeat.js';

/** Where an attempt leads back to. */
export interface Way {
  /** The handler has ended, or is not waited for any more; nothing is committed yet. */
  handlerEnded(): void;
  /** The outcome is recorded by this step; undefined if the lease was lost. */
  recorded(step: Step | undefined): void;
  /** Nothing could be recorded, because something threw that should not. */
  failed(error: unknown): void;
}

/** One attempt, from its start until its outcome is recorded. */
export class Hold implements Held {
  readonly delivery: Delivery;
  readonly grant: Grant;
  readonly work: Work;
  readonly attempt: RunningAttempt;
  readonly way: Way;
  beat: Beat | undefined;
  /** From here on the commit's own answer tells whether the lease is lost, and it may have ended the lease. */
  committing = false;
  readonly #attempts: Attempts;

  constructor(attempts: Attempts, delivery: Delivery, grant: Grant, work: Work, attempt: RunningAttempt, way: Way) {
    this.#attempts = attempts;
    this.delivery = delivery;
    this.grant = grant;
    this.work = work;
    this.attempt = attempt;
    this.way = way;
  }

  get lease(): Required<Held>['lease'] {
    const { key } = this.grant.record;
    return { key, fence: this.grant.fence, version: () => this.attempt.record.version };
  }

  onLost(): void {
    if (!this.committing) this.#attempts.lose(this); // U1 of attempts.ts
  }

  onMoved(): void {
    void this.#attempts.look(this);
  }
}

/** An outcome on its way into the record. */
export class Settlement implements Decided {
  readonly hold: Hold;
  readonly outcome: Outcome;
  readonly over: Ended;
  /** The record that it was settled on. */
  readonly record: LedgerRecord;
  readonly step: Step;
  readonly change: Change;
  readonly #attempts: Attempts;

  constructor(attempts: Attempts, what: Omit<Settlement, keyof Decided> & Pick<Decided, 'change'>) {
    this.#attempts = attempts;
    this.hold = what.hold;
    this.outcome = what.outcome;
    this.over = what.over;
    this.record = what.record;
    this.step = what.step;
    this.change = what.change;
  }

  answered(answer: ChangeAnswer | undefined): void {
    this.#attempts.answered(this, answer);
  }

  failed(error: unknown): void {
    this.#attempts.failed(this.hold, error);
  }
}

/** A step that has been committed already: what is left to send is what the record promises by now. */
export function happened(step: Step, { outbox }: LedgerRecord): Step {
  return { ...step, outbox: outbox.map(({ message }) => message) };
}
