// The public API as the compiler sees it: what a user may write, and what must not compile.

import { expectTypeOf, test } from 'vitest';
import {
  type Attempt,
  type Backend,
  type CancelAnswer,
  Carillon,
  CarillonError,
  defineTask,
  type ErrorCode,
  type EventMap,
  giveUp,
  implement,
  type JobView,
  type PayloadOf,
  type ResultOf,
  retryAfter,
  type Ruling,
  type ScheduleAnswer,
  type ScheduleCall,
  snooze,
  type StandardSchema,
  type Task,
} from './index.js';

declare const backend: Backend;
declare const carillon: Carillon;
declare const schema: StandardSchema<unknown, { email: string }>;

const closeOrder = defineTask<{ orderId: string; reason?: string }, boolean>('close-order', { in: '30m' });
const sweepUp = defineTask<undefined>('sweep-up');

class AskForReview {
  async handle(_payload: { customer: number }, attempt: Attempt): Promise<{ sent: boolean } | Ruling> {
    if (attempt.number > 3) return giveUp('no answer');
    return attempt.number > 1 ? snooze('1d') : { sent: true };
  }
}
class Tidy {
  handle(): void {}
}
class Report {
  handle(_payload?: { day: string }): string {
    return 'ok';
  }
}
class WithDate {
  handle(_payload: { at: Date }): void {}
}

test('payload and result flow from a class', () => {
  expectTypeOf<PayloadOf<typeof AskForReview>>().toEqualTypeOf<{ customer: number }>();
  expectTypeOf<ResultOf<typeof AskForReview>>().toEqualTypeOf<{ sent: boolean }>();
  expectTypeOf<PayloadOf<typeof Tidy>>().toEqualTypeOf<undefined>();
  expectTypeOf<ResultOf<typeof Tidy>>().toEqualTypeOf<void>();
  expectTypeOf<PayloadOf<typeof Report>>().toEqualTypeOf<{ day: string } | undefined>();
});

test('payload and result flow from a token', () => {
  expectTypeOf<PayloadOf<typeof closeOrder>>().toEqualTypeOf<{ orderId: string; reason?: string }>();
  expectTypeOf<ResultOf<typeof closeOrder>>().toEqualTypeOf<boolean>();
  expectTypeOf(defineTask('mail', { schema })).toEqualTypeOf<Task<{ email: string }, unknown>>();
  // @ts-expect-error the schema gives another payload
  defineTask<{ email: number }>('mail', { schema });
});

test('schedule by token', () => {
  expectTypeOf(carillon.schedule(closeOrder, { orderId: 'o-42' })).resolves.toEqualTypeOf<ScheduleAnswer>();
  void carillon.schedule(closeOrder, { orderId: 'o-42' }, { in: '5m', key: 'o-42', onExisting: 'replace' });
  // @ts-expect-error another type
  void carillon.schedule(closeOrder, { orderId: 42 });
  // @ts-expect-error a missing field
  void carillon.schedule(closeOrder, {});
  // @ts-expect-error an unknown field
  void carillon.schedule(closeOrder, { orderId: 'o-42', order: 1 });
  // @ts-expect-error no payload
  void carillon.schedule(closeOrder);
  // @ts-expect-error undefined for a payload
  void carillon.schedule(closeOrder, undefined);
});

test('schedule by class', () => {
  void carillon.schedule(AskForReview, { customer: 1 });
  // @ts-expect-error another type
  void carillon.schedule(AskForReview, { customer: '1' });
  // @ts-expect-error no payload
  void carillon.schedule(AskForReview);
  // @ts-expect-error no task: it has no handle
  void carillon.schedule(class {}, {});
  // @ts-expect-error an instance is no task
  void carillon.schedule(new AskForReview(), { customer: 1 });
  // @ts-expect-error a name is no task
  void carillon.schedule('close-order', { orderId: 'o-42' });
});

test('a payload may be left out only if the handler takes none, or may take none', () => {
  void carillon.schedule(Tidy);
  void carillon.schedule(sweepUp);
  void carillon.schedule(Tidy, undefined, { in: '1h' });
  void carillon.schedule(Report);
  void carillon.schedule(Report, { day: 'monday' });
  // @ts-expect-error it takes none
  void carillon.schedule(Tidy, { n: 1 });
  // @ts-expect-error it takes none
  void carillon.schedule(sweepUp, 'now');
});

test('payloads are JSON: a Date does not compile', () => {
  // @ts-expect-error a Date is text on the other side
  void carillon.schedule(WithDate, { at: new Date() });
  const dated = defineTask<{ on: { at: Date } }>('dated');
  // @ts-expect-error at any depth
  void carillon.schedule(dated, { on: { at: new Date() } });
});

test('durations are texts with a unit, or objects', () => {
  const payload = { orderId: 'o-42' };
  void carillon.schedule(closeOrder, payload, { in: '1h30m' });
  void carillon.schedule(closeOrder, payload, { in: 'PT5M' });
  void carillon.schedule(closeOrder, payload, { in: { minutes: 5 } });
  // @ts-expect-error no such unit
  void carillon.schedule(closeOrder, payload, { in: '5 parsecs' });
  // @ts-expect-error a number does not say its unit
  void carillon.schedule(closeOrder, payload, { in: 5 });
  // @ts-expect-error no such unit
  void carillon.schedule(closeOrder, payload, { timeout: '5 parsecs' });
  // @ts-expect-error in the task's options too
  defineTask('t', { in: '5 parsecs' });
  // @ts-expect-error and for the engine
  void new Carillon({ backend, lease: 30 });
  // @ts-expect-error and for a stop
  void carillon.stop({ within: 30 });
});

test('when: in, or at with or without a time zone', () => {
  const payload = { orderId: 'o-42' };
  void carillon.schedule(closeOrder, payload, { at: new Date() });
  void carillon.schedule(closeOrder, payload, { at: '2027-03-01T09:00:00Z' });
  void carillon.schedule(closeOrder, payload, { at: '2027-03-01 09:00', timezone: 'Europe/Berlin' });
  // @ts-expect-error both
  void carillon.schedule(closeOrder, payload, { in: '5m', at: new Date() });
  // @ts-expect-error a time zone of nothing
  void carillon.schedule(closeOrder, payload, { timezone: 'Europe/Berlin' });
  // @ts-expect-error a time zone beside in
  void carillon.schedule(closeOrder, payload, { in: '5m', timezone: 'Europe/Berlin' });
  // @ts-expect-error a number is no time
  void carillon.schedule(closeOrder, payload, { at: 1_800_000_000_000 });
  void carillon.reschedule(closeOrder, { key: 'o-42' }, { in: '5m' });
  // @ts-expect-error both
  void carillon.reschedule(closeOrder, { key: 'o-42' }, { in: '5m', at: new Date() });
  // @ts-expect-error neither
  void carillon.reschedule(closeOrder, { key: 'o-42' }, {});
});

test('an unknown option does not compile', () => {
  const payload = { orderId: 'o-42' };
  // @ts-expect-error it is called in
  void carillon.schedule(closeOrder, payload, { delay: '5m' });
  // @ts-expect-error no such answer to a taken key
  void carillon.schedule(closeOrder, payload, { key: 'o-42', onExisting: 'merge' });
  // @ts-expect-error it is called attempts
  defineTask('t', { retries: 3 });
  // @ts-expect-error no such thing
  void new Carillon({ backend, workers: 3 });
  // @ts-expect-error a function can't be kept with a job
  void carillon.schedule(closeOrder, payload, { retry: { backoff: () => '5m' } });
  // @ts-expect-error it belongs to the task
  void carillon.schedule(closeOrder, payload, { schema });
});

test('a call overrides what its task says, as far as it is data and about one job', () => {
  const payload = { orderId: 'o-42' };
  const retry = { for: '24h', backoff: { type: 'fixed', delay: '1m' } } as const;
  const maxLateness = { of: '10m', then: 'skip' } as const;
  void carillon.schedule(closeOrder, payload, { attempts: 3, retry, interruptions: 2, timeout: '5s' });
  void carillon.schedule(closeOrder, payload, { queue: 'slow', maxLateness, keep: '9d' });
  // @ts-expect-error no such unit
  void carillon.schedule(closeOrder, payload, { keep: '5 parsecs' });
  // @ts-expect-error a text is no count
  void carillon.schedule(closeOrder, payload, { interruptions: '2' });
  // @ts-expect-error it is about all jobs of the task
  void carillon.schedule(closeOrder, payload, { concurrency: 2 });
  // @ts-expect-error a function can't be kept with a job
  void carillon.schedule(closeOrder, payload, { unless: () => true });
});

test('onExisting is about a key', () => {
  const payload = { orderId: 'o-42' };
  const perhaps = { key: undefined as string | undefined };
  void carillon.schedule(closeOrder, payload, { key: 'o-42', onExisting: 'throttle', record: 'on-schedule' });
  void carillon.schedule(closeOrder, payload, perhaps);
  defineTask('t', { onExisting: 'replace' });
  // @ts-expect-error there is no key
  void carillon.schedule(closeOrder, payload, { onExisting: 'replace' });
});

test('an on-claim job has no key', () => {
  const payload = { orderId: 'o-42' };
  void carillon.schedule(closeOrder, payload, { record: 'on-claim', id: 'mine' });
  void carillon.schedule(closeOrder, payload, { record: 'on-schedule', key: 'o-42' });
  // @ts-expect-error a key needs a record
  void carillon.schedule(closeOrder, payload, { record: 'on-claim', key: 'o-42' });
  // @ts-expect-error so does what stands under a key
  void carillon.schedule(closeOrder, payload, { record: 'on-claim', onExisting: 'keep' });
});

test('a batch is checked call by call', () => {
  void carillon.scheduleMany([{ task: closeOrder, payload: { orderId: 'o-1' }, options: { in: '5m' } }]);
  // @ts-expect-error another type
  void carillon.scheduleMany([{ task: closeOrder, payload: { orderId: 1 } }]);
  // @ts-expect-error no payload
  void carillon.scheduleMany([{ task: closeOrder }]);
  // @ts-expect-error no such unit
  void carillon.scheduleMany([{ task: closeOrder, payload: { orderId: 'o-1' }, options: { in: '5 parsecs' } }]);
});

test('a batch of several tasks is checked by the task of each call', () => {
  const order = { task: closeOrder, payload: { orderId: 'o-1' } };
  void carillon.scheduleMany([order, { task: AskForReview, payload: { customer: 1 } }]);
  void carillon.scheduleMany([{ task: AskForReview, payload: { customer: 1 } }, { task: Tidy }]);
  void carillon.scheduleMany([1, 2].map((customer) => ({ task: AskForReview, payload: { customer } })));
  // @ts-expect-error the payload of the first, for the second
  void carillon.scheduleMany([order, { task: AskForReview, payload: { orderId: 'o-1' } }]);
  // @ts-expect-error no payload for the second
  void carillon.scheduleMany([order, { task: AskForReview }]);
});

test('in a batch, too, a payload may be left out only if the handler takes none, or may take none', () => {
  void carillon.scheduleMany([{ task: Tidy }, { task: sweepUp, options: { in: '1h' } }, { task: Report }]);
  void carillon.scheduleMany([
    { task: Tidy, payload: undefined },
    { task: Report, payload: { day: 'monday' } },
  ]);
  expectTypeOf<{ task: typeof Tidy }>().toExtend<ScheduleCall<typeof Tidy>>();
  // @ts-expect-error it takes none
  void carillon.scheduleMany([{ task: Tidy, payload: { n: 1 } }]);
  // @ts-expect-error another payload than it may take
  void carillon.scheduleMany([{ task: sweepUp }, { task: Report, payload: { day: 1 } }]);
});

test('a job is named by its key or by its id', () => {
  expectTypeOf(carillon.cancel(closeOrder, { key: 'o-42' })).resolves.toEqualTypeOf<CancelAnswer>();
  void carillon.cancel(AskForReview, { id: 'mine' }, { abort: true });
  // @ts-expect-error both
  void carillon.cancel(closeOrder, { key: 'o-42', id: 'mine' });
  // @ts-expect-error neither
  void carillon.cancel(closeOrder, {});
  // @ts-expect-error a bare text says neither
  void carillon.cancel(closeOrder, 'o-42');
});

test('views carry the payload and the result', () => {
  expectTypeOf(carillon.get(closeOrder, { key: 'o-42' })).resolves.toEqualTypeOf<
    JobView<{ orderId: string; reason?: string }, boolean> | undefined
  >();
  expectTypeOf(carillon.result(AskForReview, { id: 'mine' }, { within: '5s' })).resolves.toEqualTypeOf<
    JobView<{ customer: number }, { sent: boolean }>
  >();
});

test('a handler fits its task', () => {
  implement(closeOrder, ({ orderId }) => orderId.length > 0);
  implement(closeOrder, async ({ orderId }, attempt) => {
    expectTypeOf(orderId).toEqualTypeOf<string>();
    expectTypeOf(attempt).toEqualTypeOf<Attempt>();
    await attempt.progress({ half: true });
    return attempt.signal.aborted ? retryAfter('5m') : true;
  });
  implement(sweepUp, () => undefined);
  // @ts-expect-error another result
  implement(closeOrder, () => 'closed');
  // @ts-expect-error another payload
  implement(closeOrder, (payload: { customer: number }) => payload.customer > 0);
});

test('unless is asked with the payload', () => {
  defineTask<{ orderId: string }>('t', { unless: ({ orderId }) => orderId === 'o-42' });
  defineTask<{ orderId: string }>('t', {
    unless: async (_payload, services) => services.get(Report).handle() === 'paid',
  });
  // @ts-expect-error another payload
  defineTask<{ orderId: string }>('t', { unless: ({ customer }) => customer === 1 });
});

test('events say what happened to which job', () => {
  carillon.on('job:completed', (event) => {
    expectTypeOf(event.id).toEqualTypeOf<string>();
    expectTypeOf(event.key).toEqualTypeOf<string | undefined>();
    expectTypeOf(event.attempt).toEqualTypeOf<number>();
    expectTypeOf(event.durationMs).toEqualTypeOf<number>();
  });
  carillon.on('job:dead', ({ reason, error }) => {
    expectTypeOf(reason).toEqualTypeOf<string>();
    expectTypeOf(error).toEqualTypeOf<unknown>();
  });
  expectTypeOf(carillon.on('backend:up', () => {})).toEqualTypeOf<() => void>();
  expectTypeOf<EventMap['backend:up']>().toEqualTypeOf<{ readonly downMs: number }>();
  // @ts-expect-error no such event
  carillon.on('job:finished', () => {});
  // @ts-expect-error no such field
  carillon.on('job:started', ({ durationMs }) => durationMs);
});

test('errors have a code of the list', () => {
  expectTypeOf<CarillonError['code']>().toEqualTypeOf<ErrorCode>();
  expectTypeOf<'E_UNCLEAR'>().toExtend<ErrorCode>();
  const error: unknown = undefined;
  if (CarillonError.is(error)) {
    expectTypeOf(error.next).toEqualTypeOf<string>();
    // @ts-expect-error no such code
    void (error.code === 'E_UNKNOWN');
  }
});

test('a Carillon is disposed of at the end of its scope', () => {
  expectTypeOf<Carillon>().toExtend<AsyncDisposable>();
});
