// Declared schedules: what code declares, compared with what lives in the ledger, and put in place.
//
// D1  Declaring is idempotent: replicas that start at once make one change, and an old replica undoes nothing of a newer
//     version.
// D2  What is no longer declared is an orphan only of the owner who declared it; it is kept unless the owner says otherwise.
// D3  A declared schedule whose record the ledger has lost is put in place again within a minute, from its next slot on;
//     one that somebody deleted stays deleted until the next start.
// D4  An orphan that was paused for being one goes on when it is declared again, as after a deploy that was rolled back; what
//     somebody paused stays paused.

import { CarillonError } from './errors.js';
import type { ResolvedPlan } from './schedule/plan.js';
import type { ScheduleState } from './schedule/schedule.js';
import type { ScheduleView } from './schedule/view.js';
import { checkQueue, oneOf, onlyKnown } from './task/options.js';
import type { Recurring } from './task/recurring.js';
import type { AnyTask } from './task/task.js';
import type { Clock, Timer } from './time/clock.js';

/** What happens to schedules that are declared in code. */
export interface DeclaredOptions {
  /** What becomes of schedules that this owner declared once and declares no longer; default `keep`. */
  readonly orphans?: 'keep' | 'pause' | 'remove';
  /** Who declares them: a service's name. Needed for `orphans`, so that no service takes another's for its own. */
  readonly owner?: string;
  /** Put them in place at start; default true. With false `declared.apply()` does it. */
  readonly apply?: boolean;
}

/** What applying would do, by the ids of schedules; as text, a line for each. */
export interface SchedulePlan {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly unchanged: readonly string[];
  /** A higher version stands: they are left alone. */
  readonly outdated: readonly string[];
  /** Paused as orphans, and declared again: they go on. */
  readonly resumed: readonly string[];
  /** No longer declared by this owner; the text says what becomes of them. */
  readonly orphaned: readonly string[];
  toString(): string;
}

/** A plan that was checked, and the queue of its occurrences as adapters see it. */
export type QueuedPlan = ResolvedPlan & { readonly queue: string };

/** What declared schedules ask of all schedules. */
interface ScheduleBook {
  all(query: { readonly states: readonly ScheduleState[] }): AsyncIterable<ScheduleView>;
  get(id: string): Promise<ScheduleView | undefined>;
  resolve(
    id: string,
    task: AnyTask,
    spec: Recurring['spec'],
    payload: unknown,
    declaredBy: string,
  ): Promise<QueuedPlan>;
  putPlan(id: string, plan: QueuedPlan): Promise<unknown>;
  pause(id: string, options: { readonly note: string }): Promise<unknown>;
  resume(id: string): Promise<unknown>;
  delete(id: string): Promise<unknown>;
  missing(ids: readonly string[]): Promise<ReadonlySet<string>>;
}

/** What declared schedules work with. */
export interface DeclaredParts {
  readonly schedules: ScheduleBook;
  readonly clock: Clock;
  readonly tasks: readonly { readonly task: AnyTask; readonly recurring?: Recurring | undefined }[];
  readonly options: DeclaredOptions;
  /** Told of a look after them that failed: it is tried again. */
  readonly onFailure: (error: unknown) => void;
}

const WATCH_MS = 60_000;
const NOBODY = 'app';

interface Declared {
  readonly id: string;
  readonly task: AnyTask;
  readonly recurring: Recurring;
}

/** The schedules that one process declares. */
export class DeclaredSchedules {
  readonly #parts: DeclaredParts;
  readonly #declared: readonly Declared[];
  readonly #owner: string;
  #timer: Timer | undefined;
  #stopped = false;

  /** Throws `E_OPTIONS` for two schedules of one id. */
  constructor(parts: DeclaredParts) {
    const { options } = parts;
    onlyKnown(options, ['orphans', 'owner', 'apply'], 'schedules');
    oneOf(options.orphans, ['keep', 'pause', 'remove'], 'schedules.orphans');
    this.#parts = parts;
    this.#owner = options.owner === undefined ? NOBODY : checkQueue(options.owner);
    this.#declared = parts.tasks.flatMap(({ task, recurring }) =>
      recurring === undefined ? [] : [{ id: recurring.id ?? task.name, task, recurring }],
    );
    const ids = this.#declared.map(({ id }) => id);
    const twice = ids.find((id, index) => ids.indexOf(id) !== index);
    if (twice !== undefined) {
      throw new CarillonError('E_OPTIONS', `Two schedules are declared as ${twice}.`, { next: 'Give one another id.' });
    }
    if ((options.orphans ?? 'keep') === 'keep' || options.owner !== undefined) return;
    throw new CarillonError(
      'E_OPTIONS',
      `schedules.orphans is '${options.orphans}', and there is no schedules.owner.`,
      {
        next: "Name who declares them: schedules: { owner: 'billing', … }.",
      },
    );
  }

  /** What `apply` would do now, and what is orphaned; changes nothing. */
  async plan(): Promise<SchedulePlan> {
    const { schedules, options } = this.#parts;
    const standing = new Map<string, ScheduleView>();
    for await (const view of schedules.all({ states: ['active', 'paused', 'ended'] })) standing.set(view.id, view);
    const found: Record<'added' | 'changed' | 'unchanged' | 'outdated' | 'resumed', string[]> = {
      added: [],
      changed: [],
      unchanged: [],
      outdated: [],
      resumed: [],
    };
    for (const declared of this.#declared) {
      const stands = standing.get(declared.id);
      const { digest, plan } = await this.#resolve(declared);
      if (stands === undefined) found.added.push(declared.id);
      else if (stands.digest === digest) found.unchanged.push(declared.id);
      else if ((plan.version ?? 0) < stands.version) found.outdated.push(declared.id);
      else found.changed.push(declared.id);
      if (this.#isPausedOrphan(stands)) found.resumed.push(declared.id);
      standing.delete(declared.id);
    }
    const orphaned = [...standing.values()].filter((view) => view.declaredBy === this.#owner).map(({ id }) => id);
    const lines = Object.entries(found).flatMap(([what, ids]) => ids.map((id) => `${what} ${id}`));
    const fate = { keep: 'kept', pause: 'paused', remove: 'removed' }[options.orphans ?? 'keep'];
    lines.push(...orphaned.map((id) => `orphaned ${id}: ${fate}`));
    return { ...found, orphaned, toString: () => lines.join('\n') };
  }

  /** Puts everything that is declared in place, and treats orphans as the options say (D1, D2). */
  async apply(): Promise<void> {
    const { schedules, options } = this.#parts;
    for (const declared of this.#declared) {
      await schedules.putPlan(declared.id, await this.#resolve(declared));
      await this.#adopt(declared.id);
    }
    if ((options.orphans ?? 'keep') === 'keep') return;
    for (const id of (await this.plan()).orphaned) {
      if (options.orphans === 'remove') await schedules.delete(id);
      else await schedules.pause(id, { note: this.#orphanNote });
    }
  }

  /** Checks, applies unless the options say not to, and looks after them from then on. */
  async start(): Promise<void> {
    if (this.#declared.length === 0 && (this.#parts.options.orphans ?? 'keep') === 'keep') return;
    for (const declared of this.#declared) await this.#resolve(declared);
    if (this.#parts.options.apply === false) return;
    await this.apply();
    if (this.#timer === undefined) this.#watch();
  }

  /** Ends the looking after. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  get #orphanNote(): string {
    return `no longer declared by ${this.#owner}`;
  }

  /** Resumes what was paused as an orphan (D4). */
  async #adopt(id: string): Promise<void> {
    const { schedules } = this.#parts;
    if (this.#isPausedOrphan(await schedules.get(id))) await schedules.resume(id);
  }

  #isPausedOrphan(standing: ScheduleView | undefined): boolean {
    return standing?.state === 'paused' && standing.note === this.#orphanNote;
  }

  #watch(): void {
    if (this.#stopped || this.#declared.length === 0) return;
    this.#timer = this.#parts.clock.after(WATCH_MS, () => {
      this.#look()
        .catch((error: unknown) => this.#parts.onFailure(error))
        .finally(() => this.#watch());
    });
  }

  /** Puts in place again what the ledger has lost (D3). */
  async #look(): Promise<void> {
    const { schedules } = this.#parts;
    const lost = await schedules.missing(this.#declared.map(({ id }) => id));
    for (const declared of this.#declared) {
      if (lost.has(declared.id) && !this.#stopped) await schedules.putPlan(declared.id, await this.#resolve(declared));
    }
  }

  #resolve({ id, task, recurring }: Declared): Promise<QueuedPlan> {
    return this.#parts.schedules.resolve(id, task, recurring.spec, recurring.payload, this.#owner);
  }
}
