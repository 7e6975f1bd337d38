import { type Attempt, CarillonError, defineTask, implement, type Logger, silentLogger } from '@carillon/core';
import { expect, it } from 'vitest';
import { codeOf, HOUR, MINUTE, onBothBackends, SECOND } from './on-both-backends.fixture.test.js';

const backoff = { type: 'fixed', delay: '1m', jitter: 0 } as const;
const task = defineTask<{ n: number }, unknown>('work', { in: '1h', retry: { backoff } });

/** A logger that keeps what it is told, as pino's children do. */
function listening(lines: object[] = [], fields: object = {}): Logger & { lines: object[] } {
  const info = (more: object, message: string): void => void lines.push({ ...fields, ...more, message });
  return { ...silentLogger, lines, info, child: (more) => listening(lines, { ...fields, ...more }) };
}

onBothBackends('attempt', (stage) => {
  it('tells the handler who it is, what is asked, and when it was meant, due, delivered and started', async () => {
    const { clock, start, process } = stage();
    const seen: object[] = [];
    const { id } = await process([]).carillon.schedule(task, { n: 1 }, { key: 'k', headers: { traceparent: '00-1' } });
    const nominal = clock.now() + HOUR;
    await clock.advance(HOUR + 5 * SECOND); // the worker comes five seconds late
    await start([
      implement(task, (payload, attempt) => {
        const { jobId, key, idempotencyKey, number, nominalAt, dueAt, deliveredAt, startedAt, headers } = attempt;
        seen.push({ payload, task: attempt.task, jobId, key, idempotencyKey, number, headers });
        seen.push({ nominalAt: +nominalAt, dueAt: +dueAt, deliveredAt: +deliveredAt, startedAt: +startedAt });
        if (number === 1) throw new Error('no');
      }),
    ]);
    await clock.advance(2 * MINUTE);
    const who = { payload: { n: 1 }, task: 'work', jobId: id, key: 'k', idempotencyKey: id };
    const late = nominal + 5 * SECOND;
    const again = late + MINUTE;
    expect(seen).toEqual([
      { ...who, number: 1, headers: { traceparent: '00-1' } },
      { nominalAt: nominal, dueAt: nominal, deliveredAt: late, startedAt: late },
      { ...who, number: 2, headers: { traceparent: '00-1' } },
      { nominalAt: nominal, dueAt: again, deliveredAt: again, startedAt: again },
    ]);
  });

  it('logs with the job’s own fields', async () => {
    const { clock, start } = stage();
    const logger = listening();
    const { carillon } = await start([implement(task, (_, { log }) => log.info({ more: 1 }, 'hello'))], { logger });
    const { id } = await carillon.schedule(task, { n: 1 });
    await clock.advance(HOUR);
    expect(logger.lines).toContainEqual({ task: 'work', jobId: id, attempt: 1, more: 1, message: 'hello' });
  });

  it('progress is there for others while it runs, and kept', async () => {
    const { clock, start, process } = stage();
    const { carillon } = await start([
      implement(task, async (_, attempt) => {
        for (const percent of [10, 50, 90]) await attempt.progress({ percent });
        return 'ok';
      }),
    ]);
    const { id } = await carillon.schedule(task, { n: 1 });
    await clock.advance(HOUR);
    expect(await process([]).carillon.get(task, { id })).toMatchObject({ state: 'done', progress: { percent: 90 } });
  });

  it('progress that is not waited for disturbs neither its neighbour nor the result', async () => {
    const { clock, start } = stage();
    const { carillon } = await start([
      implement(task, (_, attempt) => {
        void attempt.progress(1);
        void attempt.progress(2);
        return 'ok';
      }),
    ]);
    const { id } = await carillon.schedule(task, { n: 1 });
    await clock.advance(2 * HOUR);
    expect(await carillon.get(task, { id })).toMatchObject({ state: 'done', result: 'ok', attemptsBegun: 1 });
  });

  it('progress and a wish beside it do not lose each other', async () => {
    const { clock, start, process } = stage();
    const other = process([]);
    const { carillon } = await start([
      implement(task, async (_, attempt) => {
        await attempt.progress(1);
        await other.carillon.cancel(task, { key: 'k' });
        await attempt.progress(2);
        throw new Error('no');
      }),
    ]);
    await carillon.schedule(task, { n: 1 }, { key: 'k' });
    await clock.advance(2 * HOUR);
    expect(await carillon.get(task, { key: 'k' })).toMatchObject({ state: 'cancelled', progress: 2, failures: 1 });
  });

  it.each([
    ['too large', 'x'.repeat(20_000), 'E_PAYLOAD_SIZE'],
    ['not JSON', new Map(), 'E_PAYLOAD'],
  ])('progress that is %s is refused, and that is the handler’s to see', async (_, value, code) => {
    const { clock, start } = stage();
    const codes: unknown[] = [];
    const { carillon } = await start([
      implement(task, async (_payload, attempt) => codes.push(await codeOf(attempt.progress(value)))),
    ]);
    await carillon.schedule(task, { n: 1 });
    await clock.advance(HOUR);
    expect(codes).toEqual([code]);
  });

  it('a ledger that is out of reach holds progress up, and burns no attempt (I11)', async () => {
    const { clock, start } = stage();
    const { carillon, ledger } = await start([
      implement(task, async (_, attempt) => {
        ledger.fail('commit', { times: 3 });
        await attempt.progress('half');
        return 'ok';
      }),
    ]);
    const { id } = await carillon.schedule(task, { n: 1 });
    await clock.advance(HOUR + MINUTE);
    expect(await carillon.get(task, { id })).toMatchObject({ state: 'done', progress: 'half', attemptsBegun: 1 });
  });

  it.each([
    ['too large', { text: 'x'.repeat(20_000) }],
    ['not JSON', { when: new Date(0) }],
    ['circular', Object.assign([] as unknown[], { 0: null })],
  ])('a result that is %s is left out; the work stays done', async (how, value) => {
    const { clock, start } = stage();
    const result: unknown = how === 'circular' ? [value, [value]] : value;
    if (how === 'circular') (value as unknown[])[0] = result;
    const { carillon, heard } = await start([implement(task, () => result)]);
    const { id } = await carillon.schedule(task, { n: 1 });
    await clock.advance(HOUR);
    const job = await carillon.get(task, { id });
    expect([job?.state, job?.result, heard('job:completed').length]).toEqual(['done', undefined, 1]);
  });

  it('the cap of results is an option', async () => {
    const { clock, start } = stage();
    const { carillon } = await start([implement(task, () => 'x'.repeat(100))], { limits: { resultBytes: 102 } });
    const fits = await carillon.schedule(task, { n: 1 });
    await clock.advance(HOUR);
    expect((await carillon.get(task, fits))?.result).toHaveLength(100);
    const tight = await start([implement(task, () => 'x'.repeat(100))], { limits: { resultBytes: 101 } });
    await carillon.stop();
    const refused = await tight.carillon.schedule(task, { n: 1 });
    await clock.advance(HOUR);
    expect(await tight.carillon.get(task, refused)).toMatchObject({ state: 'done', result: undefined });
  });

  it('the handler is resolved anew for each attempt; a resolver that throws is a failure', async () => {
    const { clock, start } = stage();
    let resolved = 0;
    const seen: Attempt[] = [];
    const resolver = {
      resolve: async () => {
        resolved += 1;
        if (resolved === 1) throw new CarillonError('E_TASK_HANDLER', 'no binding.', { next: 'Bind it.' });
        return { handle: (_: never, attempt: Attempt) => void seen.push(attempt) };
      },
    };
    const { carillon } = await start([{ task, resolver }]);
    const { id } = await carillon.schedule(task, { n: 1 });
    await clock.advance(2 * HOUR);
    expect([resolved, seen.map(({ number }) => number)]).toEqual([2, [2]]);
    expect(await carillon.get(task, { id })).toMatchObject({ state: 'done', error: { code: 'E_TASK_HANDLER' } });
  });
});
