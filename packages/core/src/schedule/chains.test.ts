// The causes for which chains of other schedulers fork, die or go silent, one by one.

import { Carillon, defineTask, implement, type Occurrence, silentLogger } from '@carillon/core';
import type { Backend, OutgoingMessage } from '@carillon/core/spi';
import { seededRandom } from '@carillon/testing';
import { expect, it } from 'vitest';
import {
  DAY,
  fusedStage,
  gate,
  HOUR,
  messageStage,
  MINUTE,
  onBothBackends,
  SECOND,
  type Stage,
} from '../runtime/on-both-backends.fixture.test.js';

const work = defineTask<null>('work');

function tasksOf({ clock }: Stage) {
  const from = clock.now();
  const seen: Occurrence[] = [];
  const tasks = [implement(work, (_, { occurrence }) => void (occurrence && seen.push(occurrence)))];
  return { tasks, from, seen, slots: () => seen.map(({ slot }) => slot.getTime() - from) };
}

async function worker(stage: Stage) {
  const set = tasksOf(stage);
  const process = await stage.start(set.tasks);
  return { ...process, ...set, clock: stage.clock, stage, schedules: process.carillon.schedules };
}

onBothBackends('chains', (stage) => {
  it('an edit a second before a slot is exact: the old slot does not run, the new one does', async () => {
    const { schedules, clock, slots } = await worker(stage());
    await schedules.put('s', work, { every: '1h' }, null);
    await clock.advance(HOUR - SECOND);
    expect(await schedules.put('s', work, { every: '1h', offset: '5m' }, null)).toEqual({
      outcome: 'updated',
      edition: 2,
    });
    await clock.advance(3 * HOUR);
    expect(slots()).toEqual([65, 125, 185].map((n) => n * MINUTE));
  });

  it('an edit to an equal rule in other words changes nothing', async () => {
    const { schedules } = await worker(stage());
    await schedules.put('s', work, { every: '1h' }, null);
    expect(await schedules.put('s', work, { every: '60m' }, null)).toMatchObject({ outcome: 'unchanged' });
  });

  it('an edit keeps the slots that were taken: none runs twice', async () => {
    const { schedules, clock, slots } = await worker(stage());
    await schedules.put('s', work, { every: '1h' }, null);
    await clock.advance(HOUR);
    await schedules.put('s', work, { every: '30m' }, null);
    await clock.advance(HOUR);
    expect(slots()).toEqual([60, 90, 120].map((n) => n * MINUTE));
    expect((await schedules.get('s'))?.counts.missed).toEqual({});
  });

  it('removing and adding again, also in the middle of a minute, leaves one live chain', async () => {
    const { schedules, clock, slots } = await worker(stage());
    for (let round = 0; round < 5; round += 1) {
      await schedules.put('s', work, { every: '1m' }, null);
      await clock.advance(90 * SECOND);
      expect(await schedules.delete('s')).toBe('deleted');
    }
    expect(await schedules.get('s')).toBeUndefined();
    await schedules.put('s', work, { every: '1m' }, null);
    await clock.advance(2 * MINUTE);
    expect(slots()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => n * MINUTE));
  });

  it('a rolling deploy that flaps between two specs runs no slot twice, and ends on the higher version', async () => {
    const { schedules, clock, slots } = await worker(stage());
    const old = () => schedules.put('s', work, { every: '2m', version: 1 }, null);
    const young = () => schedules.put('s', work, { every: '1m', version: 2 }, null);
    await old();
    const outcomes: string[] = [];
    for (let round = 0; round < 4; round += 1) {
      outcomes.push((await young()).outcome, (await old()).outcome);
      await clock.advance(30 * SECOND);
    }
    expect(outcomes).toEqual([
      'updated',
      'outdated',
      ...Array.from({ length: 3 }, () => ['unchanged', 'outdated']).flat(),
    ]);
    await clock.advance(MINUTE);
    expect(slots()).toEqual([1, 2, 3].map((n) => n * MINUTE));
  });

  it('without versions a flapping deploy still runs no slot twice and loses none that both have', async () => {
    const { schedules, clock, slots } = await worker(stage());
    for (let round = 0; round < 8; round += 1) {
      await schedules.put('s', work, { every: round % 2 === 0 ? '2m' : '1m' }, null);
      await clock.advance(45 * SECOND);
    }
    const taken = slots();
    expect(new Set(taken).size).toBe(taken.length);
    for (const both of [2, 4]) expect(taken).toContain(both * MINUTE);
  });

  it('an editor who decided on an older edition is told', async () => {
    const { schedules } = await worker(stage());
    const { edition } = await schedules.put('s', work, { every: '1h' }, null);
    await schedules.put('s', work, { every: '2h' }, null, { edition });
    await expect(schedules.put('s', work, { every: '3h' }, null, { edition })).rejects.toMatchObject({
      code: 'E_SCHEDULE_CHANGED',
    });
    await expect(schedules.pause('nobody')).rejects.toMatchObject({ code: 'E_SCHEDULE_UNKNOWN' });
  });

  it('each message is of a new generation: a late copy of an earlier one is stale (I4)', async () => {
    const { schedules, clock, stage: current } = await worker(stage());
    await schedules.put('s', work, { every: '1m' }, null);
    const { ledger } = current.store.another();
    const generations: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      const [record] = (await ledger.list({ kind: 'schedule', limit: 1 })).records;
      generations.push(record!.generation);
      await clock.advance(MINUTE);
      const claim = {
        key: record!.key,
        generation: record!.generation,
        holder: 'x',
        nonce: `x-${round}`,
        leaseMs: SECOND,
      };
      expect(await ledger.acquire([claim])).toMatchObject([{ answer: 'stale' }]);
    }
    expect(generations).toEqual([...new Set(generations)].toSorted((a, b) => a - b));
  });

  it('a tick that decides while an occurrence changes looks again, at once', async () => {
    const current = stage();
    const [first, kept] = [gate(), gate()];
    const began: number[] = [];
    const from = current.clock.now();
    const tasks = [
      implement(work, async (_, attempt) => {
        began.push(current.clock.now() - from);
        if (began.length > 1) return;
        const stopped = new Promise<void>((resolve) => attempt.signal.addEventListener('abort', () => resolve()));
        await first.opened;
        await attempt.progress('half');
        kept.open();
        await stopped;
      }),
    ];
    const runs = await current.start(tasks);
    await runs.carillon.schedules.put('s', work, { every: '1m', overlap: 'cancel-other' }, null);
    await current.clock.advance(MINUTE + SECOND);
    runs.deafen();
    const ticks = await current.start(tasks);
    const hold = ticks.ledger.hold('commit');
    await current.clock.advance(59 * SECOND);
    await hold.reached;
    first.open();
    await kept.opened;
    hold.release();
    await current.clock.advance(50 * SECOND);
    expect(began).toHaveLength(2);
    expect(began[1]).toBeLessThanOrEqual(2 * MINUTE + 11 * SECOND); // a third of the lease, at most
  });

  it('a damaged record is set aside with its text, and the schedule can be put again', async () => {
    const { schedules, clock, slots, heard, stage: current } = await worker(stage());
    await schedules.put('s', work, { every: '1m' }, null);
    await rewrite(current, () => 'nonsense');
    await clock.advance(MINUTE);
    expect(heard('schedule:dead')).toMatchObject([{ schedule: 's' }]);
    await expect(schedules.trigger('s')).rejects.toMatchObject({ code: 'E_SCHEDULE_UNKNOWN' });
    expect(await schedules.put('s', work, { every: '1m' }, null)).toMatchObject({ outcome: 'created' });
    await clock.advance(MINUTE);
    expect(slots()).toEqual([2 * MINUTE]);
  });

  it('a rule that this host can not read is left for another, and never lost', async () => {
    const { schedules, clock, slots, stage: current, heard } = await worker(stage());
    await schedules.put('s', work, { every: '10m' }, null);
    let readable = '';
    await rewrite(current, (body) => {
      readable = body;
      const { plan, ...rest } = JSON.parse(body) as { plan: { rule: object } };
      return JSON.stringify({
        ...rest,
        plan: { ...plan, rule: { ...plan.rule, timezone: 'Mars/Base' } },
        digest: 'other',
      });
    });
    await clock.advance(10 * MINUTE + 5 * SECOND);
    expect(slots()).toEqual([]);
    expect(await schedules.get('s')).toMatchObject({ state: 'active', next: [] });
    await rewrite(current, () => readable); // a host that can
    await clock.advance(MINUTE);
    expect(slots()).toEqual([10 * MINUTE]);
    expect(heard('schedule:dead')).toEqual([]);
  });

  it('a handler that outlives many slots holds up no tick', async () => {
    const current = stage();
    const set = tasksOf(current);
    const long = defineTask<null>('long', { concurrency: 1 });
    const { carillon, heard } = await current.start([implement(long, () => new Promise<void>(() => {})), ...set.tasks]);
    await carillon.schedules.put('s', long, { every: '1m' }, null);
    await current.clock.advance(5 * MINUTE);
    expect(heard('schedule:missed').map(({ reason }) => reason)).toEqual(Array(4).fill('overlap'));
  });

  it('its occurrences are jobs that can be looked up, and whose ids nobody else can take', async () => {
    const { schedules, clock, carillon, from } = await worker(stage());
    await schedules.put('s', work, { every: '1h' }, null);
    await clock.advance(HOUR);
    const [started] = (await schedules.get('s'))?.recent ?? [];
    const id = started?.outcome === 'started' ? started.id : '';
    expect(await carillon.get(work, { id })).toMatchObject({
      state: 'done',
      occurrence: { schedule: 's', slot: new Date(from + HOUR), origin: 'schedule' },
    });
    await expect(carillon.schedule(work, null, { id })).rejects.toMatchObject({ code: 'E_ID' });
  });

  it('a schedule that was deleted leaves nothing behind for ever, its bell neither', async () => {
    const current = stage();
    const { schedules, clock, seen } = await worker(current);
    await schedules.put('s', work, { every: '1h' }, null);
    await clock.advance(2 * HOUR + MINUTE);
    expect(seen).toHaveLength(2);
    expect((await current.store.ledger.list({ kind: 'bell', limit: 10 })).records).toHaveLength(1);
    await schedules.delete('s');
    await clock.advance(10 * DAY);
    for (const kind of ['job', 'bell', 'schedule']) {
      expect([kind, (await current.store.ledger.list({ kind, limit: 10 })).records]).toEqual([kind, []]);
    }
  });

  it('T3: an occurrence that stands already is not placed again, and holds up nothing', async () => {
    const current = stage();
    const { schedules, clock, slots, heard } = await worker(current);
    const at = new Date(clock.now());
    const ids = ['a', 'b', 'c'];
    await schedules.put('s', work, { every: '1h', overlap: 'allow' }, null);
    for (const id of ids) await schedules.trigger('s', { id, at });
    await clock.advance(MINUTE);
    await lose(current);
    await schedules.put('s', work, { every: '1h', overlap: 'allow' }, null);
    for (const id of [...ids, 'd']) await schedules.trigger('s', { id, at });
    await clock.advance(HOUR);
    expect(slots()).toEqual([0, 0, 0, 0, HOUR]);
    expect(heard('schedule:occurred')).toHaveLength(5);
    expect((await schedules.get('s'))?.counts).toEqual({ started: 5, missed: {} });
  });

  it('an id of its own can be used in several namespaces', async () => {
    const current = stage();
    const [a, b] = [tasksOf(current), tasksOf(current)];
    const first = await current.start(a.tasks, { namespace: 'a' });
    const second = await current.start(b.tasks, { namespace: 'b' });
    await first.carillon.schedules.put('s', work, { every: '1m' }, null);
    await second.carillon.schedules.put('s', work, { every: '2m' }, null);
    await current.clock.advance(4 * MINUTE);
    expect([a.seen.length, b.seen.length]).toEqual([4, 2]);
    expect((await first.carillon.schedules.list()).schedules).toMatchObject([{ id: 's', counts: { started: 4 } }]);
    await second.carillon.schedules.delete('s');
    expect((await first.carillon.schedules.list()).schedules).toHaveLength(1);
  });
});

/** Makes the ledger forget its one schedule. */
async function lose({ store }: Stage): Promise<void> {
  const { ledger } = store.another();
  const [record] = (await ledger.list({ kind: 'schedule', limit: 1 })).records;
  const write = { do: 'remove', key: record!.key, expect: { version: record!.version } } as const;
  await ledger.commit([{ nonce: 'lose', writes: [write], durable: true }]);
}

/** Changes the text of the one schedule in a store. */
async function rewrite({ store }: Stage, change: (body: string) => string): Promise<void> {
  const { ledger } = store.another();
  const [record] = (await ledger.list({ kind: 'schedule', limit: 1 })).records;
  const { key, version, fence: _fence, lease: _lease, interrupted: _interrupted, ...content } = record!;
  const body = change(content.body);
  const write = { do: 'put', key, expect: { version }, content: { ...content, body } } as const;
  await ledger.commit([{ nonce: `rewrite-${version}`, writes: [write], durable: true }]);
}

/** A process whose transport calls messages sent that it drops. */
async function lossy(stage: Stage, drops: (message: OutgoingMessage) => boolean) {
  const set = tasksOf(stage);
  const { transport, ledger } = stage.store.another();
  const dropped: string[] = [];
  const losing = new Proxy(transport, {
    get(target, name) {
      if (name !== 'send') {
        const member: unknown = Reflect.get(target, name, target);
        return typeof member === 'function' ? member.bind(target) : member;
      }
      const send: typeof target.send = async (messages) => {
        const lost = messages.filter(drops);
        dropped.push(...lost.map(({ id }) => id));
        const kept = messages.filter((message) => !lost.includes(message));
        if (kept.length > 0) await target.send(kept);
        return messages.map(() => ({ outcome: 'sent' }));
      };
      return send;
    },
  });
  const backend: Backend = { transport: losing, ledger };
  const carillon = new Carillon({
    backend,
    tasks: set.tasks,
    clock: stage.clock,
    random: seededRandom(1),
    logger: silentLogger,
  });
  await carillon.start();
  return { carillon, ...set, dropped };
}

it('a lost tick is healed within a minute, and every slot runs once', async () => {
  const stage = messageStage();
  let ticks = 0;
  const lost = (message: OutgoingMessage) => message.id.startsWith('schedule:') && (ticks += 1) % 3 === 0;
  const { carillon, slots, seen, dropped } = await lossy(stage, lost);
  await carillon.schedules.put('s', work, { every: '5m', catchUp: { within: '2m' } }, null);
  await stage.clock.advance(HOUR + MINUTE);
  expect(dropped.length).toBeGreaterThan(2);
  expect(slots()).toEqual(Array.from({ length: 12 }, (_, n) => (n + 1) * 5 * MINUTE));
  expect(Math.max(...seen.map(({ latenessMs }) => latenessMs))).toBeLessThan(MINUTE);
});

it('a lost message of an occurrence or of a bell is healed too, and doubles nothing', async () => {
  const stage = messageStage();
  let others = 0;
  const lost = (message: OutgoingMessage) => !message.id.startsWith('schedule:') && (others += 1) % 2 === 0;
  const { carillon, slots, dropped } = await lossy(stage, lost);
  await carillon.schedules.put('s', work, { every: '5m', overlap: 'buffer-all' }, null);
  await stage.clock.advance(HOUR + 2 * MINUTE);
  expect(dropped.length).toBeGreaterThan(5);
  expect(slots()).toEqual(Array.from({ length: 12 }, (_, n) => (n + 1) * 5 * MINUTE));
});

it('edits while the broker is down leave one tick to be sent, and what occurrences were promised', async () => {
  const stage = messageStage();
  const { schedules, clock, slots, breakOff } = await worker(stage);
  await schedules.put('s', work, { every: '5m' }, null);
  const mend = breakOff('transport');
  for (const minutes of [1, 2, 3, 4] as const) await schedules.put('s', work, { every: { minutes } }, null);
  const [record] = (await stage.store.ledger.list({ kind: 'schedule', limit: 1 })).records;
  expect(record?.outbox.map(({ message }) => message.id)).toEqual(['schedule:s#5']);
  mend();
  await clock.advance(9 * MINUTE);
  expect(slots()).toEqual([4, 8].map((n) => n * MINUTE));
});

it('a slot beyond the horizon is reached in hops, without the help of a sweep', async () => {
  const stage = messageStage({ horizonMs: HOUR });
  const { schedules, clock, slots, heard } = await worker(stage);
  await schedules.put('s', work, { every: '30h', offset: '0s' }, null);
  const [first] = await schedules.preview('s', 1);
  await clock.advance((first?.getTime() ?? 0) - clock.now() + MINUTE);
  expect(slots()).toHaveLength(1);
  expect(heard('sweep:done').filter(({ resent }) => resent > 0)).toEqual([]);
});

it('a leap day comes in four years', async () => {
  const stage = fusedStage();
  const { schedules, clock, seen } = await worker(stage);
  await schedules.put('s', work, { cron: '0 0 29 2 *', timezone: 'Europe/Berlin' }, null);
  await clock.advance(9 * 366 * DAY);
  expect(seen.length).toBeGreaterThanOrEqual(2);
  expect(new Set(seen.map(({ slot }) => new Date(slot.getTime() + HOUR).toISOString().slice(5, 16)))).toEqual(
    new Set(['02-29T00:00']),
  );
});
