import { defineTask, implement, type StandardSchema } from '@carillon/core';
import { expect, it } from 'vitest';
import { codeOf, messageStage, onBothBackends, SECOND } from './on-both-backends.fixture.test.js';

const task = defineTask<unknown>('work', { in: '1s' });

function schemaOf<Out>(validate: StandardSchema<unknown, Out>['~standard']['validate']): StandardSchema<unknown, Out> {
  return { '~standard': { version: 1, vendor: 'test', validate } };
}

onBothBackends('payloads', (stage) => {
  /** Schedules a payload and tells what the handler was given. */
  const carry = async (payload: unknown) => {
    const { clock, start } = stage();
    const seen: unknown[] = [];
    const { carillon } = await start([implement(task, (given) => void seen.push(given))]);
    const { id } = await carillon.schedule(task, payload);
    await clock.advance(SECOND);
    return { seen, job: await carillon.get(task, { id }) };
  };

  it.each([
    ['text', 'äöü 🎉 \u0000 \ud800'],
    ['numbers', [0, -1.5, 1e300, Number.MAX_SAFE_INTEGER]],
    ['nested data', { a: [{ b: { c: [null, true, ''] } }], 'odd key': 1 }],
    ['null', null],
    ['quotes and backslashes', '"\\'.repeat(1000)],
  ])('%s comes out as it went in', async (_, payload) => {
    const { seen, job } = await carry(payload);
    expect(seen).toEqual([payload]);
    expect(job?.payload).toEqual(payload);
  });

  it('what is undefined is null', async () => {
    expect((await carry(undefined)).seen).toEqual([null]);
  });

  it('__proto__ and friends neither go in nor come out', async () => {
    const payload: unknown = JSON.parse('{"a":1,"__proto__":{"polluted":1},"deep":[{"constructor":{"prototype":{}}}]}');
    const { seen } = await carry(payload);
    expect(seen).toEqual([{ a: 1, deep: [{}] }]);
    expect(Object.keys(seen[0] as object)).toEqual(['a', 'deep']);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  it.each([
    ['E_PAYLOAD', new Date(0)],
    ['E_PAYLOAD', { deep: [new Map()] }],
    ['E_PAYLOAD', () => {}],
    ['E_PAYLOAD', 10n],
    ['E_PAYLOAD', Number.NaN],
    ['E_PAYLOAD_SIZE', 'x'.repeat(300_000)],
  ])('refuses with %s what JSON does not hold, before anything is sent', async (code, payload) => {
    const { process } = stage();
    const { carillon, transport, ledger } = process([]);
    expect(await codeOf(carillon.schedule(task, payload))).toBe(code);
    expect([transport.calls('send'), ledger.calls('commit')]).toEqual([0, 0]);
  });

  it('the size limit is an option, to the byte', async () => {
    const { process } = stage();
    const { carillon } = process([], { limits: { payloadBytes: 12 } });
    expect(await codeOf(carillon.schedule(task, 'x'.repeat(10)))).toBe('resolved');
    expect(await codeOf(carillon.schedule(task, 'x'.repeat(11)))).toBe('E_PAYLOAD_SIZE');
    expect(await codeOf(carillon.schedule(task, 'ä'.repeat(6)))).toBe('E_PAYLOAD_SIZE');
  });

  /** A schema of orders: the number has three characters at least, and the copies are 1 unless given. */
  const order = schemaOf<{ order: string; copies?: number }>((value) => {
    const { order, copies = 1 } = value as { order: string; copies?: number };
    return order.length < 3 ? { issues: [{ message: 'too short', path: ['order'] }] } : { value: { order, copies } };
  });

  it('a schema is asked at schedule, and names what is wrong', async () => {
    const { process } = stage();
    const { carillon } = process([]);
    const checked = defineTask('checked', { schema: order });
    const failure = carillon.schedule(checked, { order: 'x' });
    await expect(failure).rejects.toMatchObject({ code: 'E_PAYLOAD', message: expect.stringContaining('.order') });
    expect((await carillon.list()).jobs).toEqual([]);
  });

  it('and before the handler, which gets its output: a stricter version sets the job aside (I8)', async () => {
    const { clock, start, process } = stage();
    const lax = defineTask<{ order: string }>('checked', { in: '1s' });
    const strict = defineTask('checked', { schema: order });
    const { carillon } = process([]);
    const bad = await carillon.schedule(lax, { order: 'x' });
    await carillon.schedule(lax, { order: 'o-42' });
    const seen: unknown[] = [];
    await start([implement(strict, (payload) => void seen.push(payload))]);
    await clock.advance(10 * SECOND);
    expect(seen).toEqual([{ order: 'o-42', copies: 1 }]);
    expect(await carillon.get(lax, bad)).toMatchObject({ state: 'dead', reason: 'invalid payload', failures: 1 });
  });

  it('a schema that transforms does so once', async () => {
    const { clock, start } = stage();
    const checked = defineTask('double', { schema: schemaOf<number>((n) => ({ value: (n as number) * 2 })) });
    const seen: unknown[] = [];
    const { carillon } = await start([implement(checked, (n) => void seen.push(n))]);
    await carillon.schedule(checked, 21);
    await clock.advance(SECOND);
    expect(seen).toEqual([42]);
  });

  it('an asynchronous schema is waited for', async () => {
    const { clock, start } = stage();
    const checked = defineTask('slow', { schema: schemaOf<string>(async (value) => ({ value: `${String(value)}!` })) });
    const seen: unknown[] = [];
    const { carillon } = await start([implement(checked, (payload) => void seen.push(payload))]);
    await carillon.schedule(checked, 'hey');
    await clock.advance(SECOND);
    expect(seen).toEqual(['hey!']);
  });
});

it('the transport’s own limit counts too', async () => {
  const { process } = messageStage({ maxBytes: 500 });
  const { carillon } = process([]);
  expect(await codeOf(carillon.schedule(task, 'x'.repeat(600)))).toBe('E_PAYLOAD_SIZE');
  expect(await codeOf(carillon.schedule(task, 'x'.repeat(450), { record: 'on-claim' }))).toBe('E_PAYLOAD_SIZE');
});
