// Shop: the business code of a simulation: it schedules jobs and changes them, through faults, as careful code does.
//
// P1  A call that is not answered is made again, with the same id, until it is, whatever crashes meanwhile. A call without
//     an id of its own is repeated with the minted one that the error names; if the shop crashes, nobody knows that any more,
//     and the repeat may place a second job.
// P2  Nothing is called any more once the time of the run is over.
// P3  A handler calls once, through the Carillon of its own process, and hears of what is not answered: it is tried again
//     itself. Its calls are seen as those of the shop are.

import { CarillonError, durationMs } from '@carillon/core/spi';
import type { Duration, Random } from '@carillon/core/spi';
import type {
  AnyTask,
  CancelAnswer,
  Carillon,
  JobRef,
  JobView,
  PayloadOf,
  RedriveAnswer,
  RescheduleAnswer,
  ResultOf,
  ScheduleAnswer,
  ScheduleArguments,
  ScheduleCall,
  ScheduleOptions,
  ScheduleRefusal,
  TaskRef,
  When,
} from '@carillon/core';
import type { Call, CallName, Tell } from '../observation.js';
import type { World } from '../world/world.js';
import type { Place } from './running.js';
import { ShopSchedules } from './shop-schedules.js';

const AGAIN_MS = 2_000; // doubled each time
const LONGEST_WAIT_MS = 32_000;
const CRASHED = Symbol('crashed');

/** What a shop is made of. */
export interface ShopParts {
  readonly host: Place;
  readonly world: World;
  readonly random: Random;
  readonly tell: Tell;
  /** When the run is over (P2). */
  readonly endsAt: number;
  /** How many calls the whole run has made. */
  readonly calls: { made: number };
  /** Whether a call is made once (P3). */
  readonly once?: boolean;
}

/** What handlers can do to jobs in a simulation. */
export type Jobs = Pick<Shop, 'schedule' | 'cancel' | 'reschedule' | 'get' | 'schedules'>;

/** Business code's view of a simulation. */
export class Shop {
  /** Schedules, as `Carillon.schedules`. */
  readonly schedules: ShopSchedules;
  readonly #parts: ShopParts;

  constructor(parts: ShopParts) {
    this.#parts = parts;
    this.schedules = new ShopSchedules(
      (name, id, options, make) => this.#make(this.#call(name, undefined, { id }, options), make),
      (question) => this.#persist(question),
      () => `request-${String(parts.calls.made).padStart(6, '0')}`,
    );
  }

  /** The simulated time. */
  get now(): Date {
    return new Date(this.#parts.world.now);
  }

  /** Numbers that only the seed decides. */
  get random(): Random {
    return this.#parts.random;
  }

  /** Waits, in simulated time; for ever if the run ends before. */
  sleep(duration: Duration): Promise<void> {
    const { world, endsAt } = this.#parts;
    const at = world.now + durationMs(duration, 'sleep');
    return new Promise((resolve) => {
      if (at < endsAt) world.at(at, resolve);
    });
  }

  /** As `Carillon.schedule`, repeated until it is answered (P1). */
  schedule<T extends TaskRef>(task: T, ...args: ScheduleArguments<T>): Promise<ScheduleAnswer> {
    const [payload, options] = args;
    const id = options?.id ?? `order-${String(this.#parts.calls.made).padStart(6, '0')}`;
    const withId = { ...options, id };
    const call = this.#call('schedule', task, { id, ...(options?.key !== undefined && { key: options.key }) }, withId);
    return this.#make(call, (carillon) => carillon.schedule(...([task, payload, withId] as unknown as LooseArguments)));
  }

  /** As `schedule`, with an id that Carillon mints. */
  scheduleMinted<T extends TaskRef>(task: T, ...args: ScheduleArguments<T>): Promise<ScheduleAnswer> {
    const [payload, options] = args;
    const key = options?.key;
    const call = this.#call('schedule', task, { ...(key !== undefined && { key }) }, options ?? {});
    let id: string | undefined;
    return this.#make(call, async (carillon) => {
      const asked = { ...options, ...(id !== undefined && { id }) };
      try {
        return await carillon.schedule(...([task, payload, asked] as unknown as LooseArguments));
      } catch (error) {
        if (isUnclear(error)) id = error.id ?? id;
        throw error;
      }
    });
  }

  /** As `Carillon.scheduleMany`; whatever of the batch is not answered is repeated (P1). */
  async scheduleMany<T extends TaskRef>(
    calls: readonly ScheduleCall<T>[],
  ): Promise<readonly (ScheduleAnswer | ScheduleRefusal)[]> {
    const { tell, host } = this.#parts;
    const batch = calls.map((one) => {
      const { id, key } = one.options ?? {};
      const call = this.#call('schedule', one.task, { id, key }, one.options ?? {});
      tell({ what: 'call', host: host.name, call });
      return { one, call, answer: undefined as ScheduleAnswer | ScheduleRefusal | undefined };
    });
    let tries = 0;
    for (let open = batch; open.length > 0; open = batch.filter(({ answer }) => answer === undefined)) {
      if (tries > 0) await this.#pause(Math.min(AGAIN_MS * 2 ** (tries - 1), LONGEST_WAIT_MS));
      const answers = await this.#persist((carillon) => {
        tries += 1;
        return carillon.scheduleMany(open.map(({ one }) => one) as unknown as readonly ScheduleCall<AnyTask>[]);
      });
      for (const [index, entry] of open.entries()) {
        const answer = answers[index]!;
        const failed = answer.outcome === 'refused';
        if (failed && isUnclear(answer.error))
          entry.one = { ...entry.one, options: { ...entry.one.options, id: answer.id } };
        else {
          entry.answer = answer;
          tell({
            what: 'answer',
            host: host.name,
            call: entry.call,
            answer: failed ? answer.error : answer,
            failed,
            tries,
          });
        }
      }
    }
    return batch.map(({ answer }) => answer!);
  }

  /** As `Carillon.cancel`, repeated until it is answered. */
  cancel(task: TaskRef, job: JobRef, options: Parameters<Carillon['cancel']>[2] = {}): Promise<CancelAnswer> {
    return this.#make(this.#call('cancel', task, job, options), (carillon) => carillon.cancel(task, job, options));
  }

  /** As `Carillon.reschedule`, repeated until it is answered. */
  reschedule(task: TaskRef, job: JobRef, when: When): Promise<RescheduleAnswer> {
    return this.#make(this.#call('reschedule', task, job, when), (carillon) => carillon.reschedule(task, job, when));
  }

  /** As `Carillon.redrive`, repeated until it is answered. */
  redrive(id: string, when?: When): Promise<RedriveAnswer> {
    return this.#make(this.#call('redrive', undefined, { id }, when ?? {}), (carillon) => carillon.redrive(id, when));
  }

  /** As `Carillon.get`, repeated until it is answered. */
  get<T extends TaskRef>(task: T, job: JobRef): Promise<JobView<PayloadOf<T>, ResultOf<T>> | undefined> {
    return this.#persist((carillon) => carillon.get(task, job));
  }

  /** Asks anything else of the shop's Carillon, until it is answered. Only to look: what is changed so, nobody is seen to ask for. */
  ask<A>(question: (carillon: Carillon) => Promise<A>): Promise<A> {
    return this.#persist(question);
  }

  #call(
    call: CallName,
    task: TaskRef | undefined,
    job: { readonly id?: string | undefined; readonly key?: string | undefined },
    options: object,
  ): Call {
    const number = (this.#parts.calls.made += 1);
    return { call, number, task: nameOf(task), id: job.id, key: job.key, options: { ...options } };
  }

  async #make<A>(call: Call, make: (carillon: Carillon) => Promise<A>): Promise<A> {
    const { tell, host } = this.#parts;
    tell({ what: 'call', host: host.name, call });
    let tries = 0;
    try {
      const answer = await this.#persist((carillon) => {
        tries += 1;
        return make(carillon);
      });
      tell({ what: 'answer', host: host.name, call, answer, failed: false, tries });
      return answer;
    } catch (error) {
      tell({ what: 'answer', host: host.name, call, answer: error, failed: true, tries });
      throw error;
    }
  }

  /** Repeats until there is an answer or an error that repeating would not mend (P1). */
  async #persist<A>(make: (carillon: Carillon) => Promise<A>): Promise<A> {
    if (this.#parts.once === true) return make((await this.#parts.host.up()).carillon); // P3
    for (let waitMs = AGAIN_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
      const { carillon, process } = await this.#parts.host.up();
      let stay = (): void => {};
      const crashed = new Promise<typeof CRASHED>((resolve) => {
        stay = process.onCrash(() => resolve(CRASHED));
      });
      try {
        const answer = await Promise.race([make(carillon), crashed]);
        if (answer !== CRASHED) return answer;
      } catch (error) {
        if (isStopped(error)) continue;
        if (!isUnclear(error)) throw error;
        await this.#pause(waitMs);
      } finally {
        stay();
      }
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#parts.world.after(ms, resolve));
  }
}

/** The arguments of a `schedule` whose task nobody knows at compile time. */
type LooseArguments = [task: AnyTask, payload: never, options: ScheduleOptions];

/** Whether the process was being stopped in good order: the next one can be asked. */
function isStopped(error: unknown): boolean {
  return CarillonError.is(error) && error.code === 'E_STOPPED';
}

function isUnclear(error: unknown): error is CarillonError {
  return CarillonError.is(error) && error.code === 'E_UNCLEAR';
}

function nameOf(task: TaskRef | undefined): string {
  return task === undefined ? '' : task.name;
}
