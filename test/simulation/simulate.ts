// Simulate: runs the seeds of a suite on all threads, then makes one failing seed of each kind small.

import { Crew, type Ran } from './crew.js';
import { isTooTame } from './tameness.js';
import type { Options } from './options.js';
import type { Pace } from './pace.js';
import type { Progress } from './progress.js';
import type { Report } from './report.js';
import type { Order } from './seed-thread.js';
import { type Outcome, reproductionOf, shrink, Tally, type Trial, trialOf } from '@carillon/testing/simulation';

const REPEATED = 10; // every tenth seed is run twice
const SHRINK_MS = 5 * 60_000;
const PATIENCE_MS = 60_000; // and as long again for each simulated hour: a run that takes longer will not come to rest

/** A suite under way. */
export class Simulation {
  readonly #options: Options;
  readonly #report: Report;
  readonly #progress: Progress;
  readonly #tally: Tally = new Tally();
  readonly #startedAt = performance.now();
  #tookMs: number | undefined;

  constructor(options: Options, report: Report, progress: Progress) {
    this.#options = options;
    this.#report = report;
    this.#progress = progress;
  }

  /** Runs everything; answers whether all seeds passed, in a suite that was not too tame. */
  async run(): Promise<boolean> {
    const { seeds, workers, single, shrink, trace, twice } = this.#options;
    const crew = new Crew(Math.min(workers, seeds.length));
    try {
      const trials = seeds.map((seed) => trialOf(seed, this.#options));
      if (single) this.#report.plan(trials[0]!);
      await Promise.all(
        trials.map(async (trial, index) => {
          const order = { trial, trace, twice: twice || (index + 1) % REPEATED === 0 };
          this.#ended((await this.#ran(crew, order)).outcome);
        }),
      );
      this.#tookMs = performance.now() - this.#startedAt;
      if (shrink) for (const failing of firstOfEachKind(this.#tally.failed)) await this.#makeSmall(crew, failing);
    } finally {
      await crew.dismiss();
    }
    return this.#tally.failed.length === 0 && !isTooTame(this.#options, this.#tally);
  }

  /** Says what has been done so far. */
  sumUp(): void {
    this.#progress.end();
    this.#report.summary(this.#tally, this.#pace(), {
      asked: this.#options.seeds.length,
      workload: this.#options.workload,
      tooTame: isTooTame(this.#options, this.#tally),
    });
  }

  #ended(outcome: Outcome): void {
    this.#tally.add(outcome);
    this.#progress.end();
    this.#report.ran(outcome);
    this.#progress.update(this.#tally.seeds, this.#pace());
  }

  async #makeSmall(crew: Crew, failing: Outcome): Promise<void> {
    this.#progress.note(`making seed ${failing.trial.plan.seed} small …`);
    const until = performance.now() + SHRINK_MS;
    const twice = failing.failure?.breaks === 'replay';
    const shrunk = await shrink(failing, {
      attempt: async (trial) => (await this.#ran(crew, { trial, twice })).outcome,
      enough: () => performance.now() > until,
      kept: ({ trial }) => this.#progress.note(`  ${reproductionOf(trial)}`),
    });
    const { trial, failure } = shrunk.smallest;
    const { story } = await this.#ran(crew, { trial, about: failure?.about ?? '' });
    this.#progress.end();
    this.#report.shrunk(failing, shrunk, story);
  }

  /** A run's end, whatever happens to its thread. */
  async #ran(crew: Crew, order: Order): Promise<Ran> {
    const withinMs = PATIENCE_MS * (1 + order.trial.plan.hours);
    try {
      return await crew.run(order, withinMs, (line) => this.#report.line(line));
    } catch (error) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      return { is: 'ran', outcome: broken(order.trial, text), story: [text] };
    }
  }

  #pace(): Pace {
    const { seeds, hours } = this.#tally;
    const tookMs = this.#tookMs ?? performance.now() - this.#startedAt;
    return { seeds, hours, tookMs, workers: Math.min(this.#options.workers, this.#options.seeds.length) };
  }
}

/** One failing run for each invariant that was broken, the first that was found. */
function firstOfEachKind(failed: readonly Outcome[]): readonly Outcome[] {
  const kinds = new Map<string | undefined, Outcome>();
  for (const outcome of failed) if (!kinds.has(outcome.failure?.breaks)) kinds.set(outcome.failure?.breaks, outcome);
  return [...kinds.values()];
}

/** The outcome of a run that did not even end. */
function broken(trial: Trial, text: string): Outcome {
  const { rescues } = new Tally();
  const failure = { breaks: 'error', about: '', text, at: 0 } as const;
  return {
    trial,
    failure,
    hash: '',
    events: 0,
    placings: 0,
    startedAt: 0,
    hours: 0,
    rescues,
    exemptions: 0,
    backlog: 0,
  };
}
