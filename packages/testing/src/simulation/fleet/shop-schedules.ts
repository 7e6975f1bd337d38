// Shop schedules: what business code does to schedules in a simulation: as `Carillon.schedules`, repeated until it is
// answered (P1 of shop.ts), and seen by the monitors and in the trace.

import type {
  Carillon,
  EditOptions,
  PutAnswer,
  PutArguments,
  RequestOptions,
  ScheduleSpec,
  ScheduleView,
  TaskRef,
} from '@carillon/core';
import type { ScheduleCallName } from '../observation.js';

/** Makes a call about a schedule, which the trace shows with its options. */
export type CallSchedule = <A>(
  call: ScheduleCallName,
  id: string,
  options: object,
  make: (carillon: Carillon) => Promise<A>,
) => Promise<A>;

/** Schedules as business code sees them in a simulation. */
export class ShopSchedules {
  readonly #call: CallSchedule;
  readonly #ask: <A>(question: (carillon: Carillon) => Promise<A>) => Promise<A>;
  readonly #mint: () => string;

  constructor(
    call: CallSchedule,
    ask: <A>(question: (carillon: Carillon) => Promise<A>) => Promise<A>,
    mint: () => string,
  ) {
    this.#call = call;
    this.#ask = ask;
    this.#mint = mint;
  }

  /** As `Schedules.put`. */
  put<T extends TaskRef>(id: string, task: T, spec: ScheduleSpec, ...args: PutArguments<T>): Promise<PutAnswer> {
    return this.#call('put', id, spec, (carillon) => carillon.schedules.put(id, task, spec, ...args));
  }

  /** As `Schedules.pause`. */
  pause(id: string, options: EditOptions & { readonly note?: string } = {}): Promise<'paused' | 'unchanged' | 'ended'> {
    return this.#call('pause', id, options, (carillon) => carillon.schedules.pause(id, options));
  }

  /** As `Schedules.resume`. */
  resume(
    id: string,
    options: EditOptions & { readonly note?: string } = {},
  ): Promise<'resumed' | 'unchanged' | 'ended'> {
    return this.#call('resume', id, options, (carillon) => carillon.schedules.resume(id, options));
  }

  /** As `Schedules.trigger`; a request without an id gets one, so that repeating it asks for nothing more. */
  trigger(id: string, options: RequestOptions & { readonly at?: Date } = {}): Promise<'requested' | 'unchanged'> {
    const named = { ...options, id: options.id ?? this.#mint() };
    return this.#call('trigger', id, named, (carillon) => carillon.schedules.trigger(id, named));
  }

  /** As `Schedules.backfill`; a request without an id gets one. */
  backfill(
    id: string,
    range: { readonly from: Date; readonly to: Date },
    options: RequestOptions = {},
  ): Promise<'requested' | 'unchanged'> {
    const named = { ...options, id: options.id ?? this.#mint() };
    return this.#call('backfill', id, { ...range, ...named }, (carillon) =>
      carillon.schedules.backfill(id, range, named),
    );
  }

  /** As `Schedules.delete`; a repeat may answer `unknown` of what it has deleted itself. */
  delete(id: string, options: EditOptions = {}): Promise<'deleted' | 'unknown'> {
    return this.#call('delete', id, options, (carillon) => carillon.schedules.delete(id, options));
  }

  /** As `Schedules.get`. */
  get(id: string): Promise<ScheduleView | undefined> {
    return this.#ask((carillon) => carillon.schedules.get(id));
  }
}
