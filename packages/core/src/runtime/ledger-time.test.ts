import { Carillon, defineTask, implement, silentLogger, type Logger } from '@carillon/core';
import type { Clock, Ledger } from '@carillon/core/spi';
import { memory, memoryStore, VirtualClock } from '@carillon/testing';
import { describe, expect, it } from 'vitest';
import { LedgerTime } from './ledger-time.js';
import { HOUR, MINUTE, SECOND } from './on-both-backends.fixture.test.js';

const backoff = { type: 'fixed', delay: '1m', jitter: 0 } as const;
const task = defineTask<null, string>('work', { in: '1h', attempts: 3, retry: { backoff } });

/** A host whose wall clock shows another time than the ledger's. */
function host(clock: VirtualClock, skewMs: number): Clock {
  return {
    now: () => clock.now() + skewMs,
    monotonic: () => clock.monotonic(),
    after: (ms, wake) => clock.after(ms, wake),
    soon: (wake) => clock.soon(wake),
  };
}

describe.each([
  ['memory', memory],
  ['fused store', memoryStore],
] as const)('clock skew (%s)', (_, make) => {
  describe.each([
    ['ten minutes ahead', 10 * MINUTE],
    ['ten minutes behind', -10 * MINUTE],
    ['a second and a half ahead', 1_500],
  ])('a host %s of the ledger', (_, skewMs) => {
    const open = async () => {
      const clock = new VirtualClock();
      const warnings: object[] = [];
      const logger: Logger = { ...silentLogger, warn: (fields) => void warnings.push(fields) };
      const starts: number[] = [];
      const told: number[] = [];
      const backend = make({ clock });
      const on = (error: unknown, { ageMs }: { ageMs: number }) => (told.push(ageMs), undefined);
      const aged = defineTask<null, string>('work', { in: '1h', attempts: 3, retry: { backoff, on } });
      const handler = implement(aged, (_payload, { startedAt, dueAt }) => {
        starts.push(clock.now());
        expect([+startedAt, +startedAt - +dueAt]).toEqual([clock.now(), 0]);
        throw new Error('no');
      });
      const carillon = new Carillon({ backend, clock: host(clock, skewMs), logger, tasks: [handler] });
      await carillon.start();
      return { clock, carillon, starts, told, warnings };
    };

    it('schedules, starts and retries by the ledger’s clock (I5)', async () => {
      const { clock, carillon, starts, told } = await open();
      const from = clock.now();
      const { id } = await carillon.schedule(task, null);
      expect((await carillon.get(task, { id }))?.dueAt).toEqual(new Date(from + HOUR));
      await clock.advance(2 * HOUR);
      expect(starts.map((at) => at - from)).toEqual([HOUR, HOUR + MINUTE, HOUR + 2 * MINUTE]);
      expect(told).toEqual([0, MINUTE, 2 * MINUTE]);
    });

    it('reports it', async () => {
      const { warnings } = await open();
      expect(warnings).toMatchObject([{ skewMs: -skewMs }]);
    });
  });

  it('a difference of a millisecond is none', async () => {
    const clock = new VirtualClock();
    const carillon = new Carillon({ backend: make({ clock }), clock: host(clock, 1), logger: silentLogger });
    const { id } = await carillon.schedule(task, null);
    expect((await carillon.get(task, { id }))?.dueAt).toEqual(new Date(clock.now() + HOUR + 1));
  });
});

it('a host’s clock that is set while it runs is noticed by the sweep', async () => {
  const clock = new VirtualClock();
  let skewMs = 0;
  const moved: Clock = { ...host(clock, 0), now: () => clock.now() + skewMs };
  const starts: number[] = [];
  const handler = implement(task, () => (starts.push(clock.now()), 'ok'));
  const backend = memory({ clock });
  const carillon = new Carillon({ backend, clock: moved, logger: silentLogger, tasks: [handler] });
  await carillon.start();
  const from = clock.now();
  skewMs = 5 * MINUTE;
  await clock.advance(10 * SECOND);
  await carillon.schedule(task, null, { in: '1m' });
  await clock.advance(HOUR);
  expect(starts).toEqual([from + 10 * SECOND + MINUTE]);
});

it('after an outage it goes by the clock of whichever server answers, also where nothing sweeps', async () => {
  const clock = new VirtualClock();
  let stepMs = 0;
  const { ledger } = memory({ clock: { ...host(clock, 0), now: () => clock.now() + stepMs } });
  const { transport } = memory({ clock });
  const send = transport.send.bind(transport);
  const producer = new Carillon({ backend: { transport, ledger }, clock, logger: silentLogger });
  await producer.list();
  stepMs = 5 * MINUTE;
  transport.send = () => Promise.reject(new Error('the broker is down'));
  await producer.schedule(task, null);
  transport.send = send;
  await clock.advance(SECOND);
  const { id } = await producer.schedule(task, null, { in: '1m' });
  expect((await producer.get(task, { id }))?.dueAt).toEqual(new Date(clock.now() + stepMs + MINUTE));
});

it('J3: a first answer that was slow spoils no delay for long, also where nothing sweeps', async () => {
  const clock = new VirtualClock();
  const { ledger, transport } = memory({ clock });
  const now = ledger.now.bind(ledger);
  let answers: 'slowly' | 'never' | 'at once' = 'slowly';
  ledger.now = async () => {
    if (answers === 'never') throw new Error('the ledger is down');
    if (answers === 'slowly') await new Promise<void>((resolve) => void clock.after(5_000, resolve));
    return now();
  };
  const producer = new Carillon({ backend: { transport, ledger }, clock, logger: silentLogger });
  const lateMs = async () => {
    const { id } = await producer.schedule(task, null, { in: '1m' });
    return +(await producer.get(task, { id }))!.dueAt - clock.now() - MINUTE;
  };
  const first = lateMs();
  await clock.advance(5_000);
  const late = [await first];
  for (answers of ['never', 'at once'] as const) {
    await clock.advance(30_000);
    late.push(await lateMs());
  }
  late.push(await lateMs());
  expect(late).toEqual([5_000, 5_000, 5_000, 0]);
});

it.each([
  ['a little, within the landing', -1_500, 2],
  ['by more than a landing: the message is given back until its time (V4)', -5_000, 3],
])('a ledger’s clock that steps back %s makes no loop of early claims', async (_, byMs, most) => {
  const clock = new VirtualClock();
  let stepMs = 0;
  const { ledger } = memory({ clock: { ...host(clock, 0), now: () => clock.now() + stepMs } });
  const { transport } = memory({ clock });
  let claims = 0;
  const acquire = ledger.acquire.bind(ledger);
  ledger.acquire = (asked) => ((claims += 1) < 20 ? acquire(asked) : Promise.reject(new Error('a loop')));
  const starts: number[] = [];
  const handler = implement(task, () => (starts.push(clock.now()), 'ok'));
  const carillon = new Carillon({ backend: { transport, ledger }, clock, logger: silentLogger, tasks: [handler] });
  await carillon.start();
  const dueAt = clock.now() + MINUTE;
  await carillon.schedule(task, null, { in: '1m' });
  await clock.advance(50 * SECOND);
  stepMs = byMs;
  await clock.advance(MINUTE);
  expect(starts).toEqual([dueAt - byMs]);
  expect(claims).toBeLessThanOrEqual(most);
});

describe('an estimate of the ledger’s clock', () => {
  /** A ledger that looks at its clock, and whose answers take their time on the way back. */
  function setUp(aheadMs: number) {
    const clock = new VirtualClock();
    let [thereMs, backMs] = [0, 0];
    const ledger = {
      now: async () => {
        await clock.advance(thereMs);
        const now = clock.now() + aheadMs;
        await clock.advance(backMs);
        return now;
      },
    } as unknown as Ledger;
    const time = new LedgerTime(clock, ledger, () => {});
    const measure = async (there: number, back: number) => {
      [thereMs, backMs] = [there, back];
      await time.measure();
      return time.now() - clock.now();
    };
    return { clock, time, measure };
  }

  it('J2: is late rather than early after the first answer', async () => {
    const { measure } = setUp(100);
    expect(await measure(40, 60)).toBe(140);
  });

  it('J1: takes nothing back for a slow answer that a fast one has told', async () => {
    const { measure } = setUp(100);
    await measure(40, 0);
    expect(await measure(3, 5)).toBe(103);
    expect(await measure(50, 70)).toBe(103);
    expect(await measure(0, 900)).toBe(100);
  });

  it('J1: follows a clock that was set, in either direction', async () => {
    const { clock, time, measure } = setUp(0);
    await measure(0, 0);
    const offset = () => time.now() - clock.now();
    time.hear(clock.now() + 5_000, clock.now() - 10);
    expect(offset()).toBe(5_000);
    time.hear(clock.now() - 5_000, clock.now() - 10);
    expect(offset()).toBe(-4_990);
  });
});

it('J1: a slow answer to an early claim makes no later job late', async () => {
  const clock = new VirtualClock();
  const wait = (ms: number) => new Promise<void>((resolve) => void clock.after(ms, resolve));
  const { ledger, transport } = memory({ clock, limits: { precisionMs: 1000 } });
  const [acquire, now] = [ledger.acquire.bind(ledger), ledger.now.bind(ledger)];
  let slow = true;
  ledger.now = async () => {
    if (slow) await wait(50); // on its way there: the first estimate is 50 ms early
    return now();
  };
  let early = 0;
  ledger.acquire = async (claims) => {
    const answers = await acquire(claims);
    if (answers[0]?.answer === 'early') early += 1;
    if (slow) await wait(20); // on its way back
    return answers;
  };
  const late: number[] = [];
  const handler = implement(task, (_payload, { dueAt }) => (late.push(clock.now() - +dueAt), 'ok'));
  const carillon = new Carillon({ backend: { transport, ledger }, clock, logger: silentLogger, tasks: [handler] });
  const started = carillon.start();
  await clock.advance(50);
  await started;
  await carillon.schedule(task, null, { at: new Date(clock.now() + 10_000) });
  await clock.advance(15_000);
  slow = false;
  await carillon.schedule(task, null, { at: new Date(clock.now() + 10_000) });
  await clock.advance(15_000);
  expect({ early, late }).toEqual({ early: 1, late: [40, 0] }); // 20 after the early answer, 20 after the grant
});
