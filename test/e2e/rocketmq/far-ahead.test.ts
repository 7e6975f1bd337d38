// Far ahead: a ten-year delay and a cron of 29 February on a real broker, whose own limits are hours. The first hop is seen at
// the broker as it is; the chain behind it goes over the broker too, in a time that leaps: whenever a message has been sent
// for a later time, the clock of worker and ledger leaps to two seconds before that, and the broker is asked for two seconds.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Carillon, defineTask, implement, silentLogger, type TaskDefinition } from '@carillon/core';
import { type Clock, type SendOutcome, systemClock, type Transport } from '@carillon/core/spi';
import { embeddedLedger } from '@carillon/embedded';
import { rocketmq, rocketmqAdmin } from '@carillon/rocketmq';
import { describeWith } from '@carillon/services/testing';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Broker, needs, openBroker } from './broker.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NEAR_MS = 2_000;

const task = defineTask<null>('work');

let broker: Broker;
let prefix: string;
let folder: string;
let carillon: Carillon | undefined;

describeWith(needs, 'far ahead on RocketMQ', () => {
  beforeAll(async () => {
    broker = await openBroker();
  }, 120_000);
  afterAll(() => broker.close());
  beforeEach(async () => {
    prefix = `far${Date.now().toString(36)}-`;
    folder = mkdtempSync(join(tmpdir(), 'carillon-far-'));
    await rocketmqAdmin({ nameServer: broker.nameServer, prefix, ...broker.access }).provision(['default']);
  });
  afterEach(async () => {
    await carillon?.stop();
    rmSync(folder, { recursive: true });
  });

  async function start(transport: Transport, tasks: readonly TaskDefinition[], clock: Clock = systemClock) {
    const ledger = embeddedLedger(folder, { clock });
    carillon = new Carillon({ backend: { transport, ledger }, tasks, clock, logger: silentLogger });
    await carillon.start();
    return carillon;
  }

  /** A transport of the real broker, and what became of what it was asked to send. */
  function watched(): { transport: Transport; sent: () => Promise<SendOutcome> } {
    const transport = rocketmq({ endpoint: broker.endpoint, prefix, ...broker.access });
    let told: (outcome: SendOutcome) => void;
    const first = new Promise<SendOutcome>((resolve) => (told = resolve));
    const send = transport.send.bind(transport);
    transport.send = async (messages) => {
      const outcomes = await send(messages);
      if (outcomes[0] !== undefined) told(outcomes[0]);
      return outcomes;
    };
    return { transport, sent: () => first };
  }

  /** When the broker says that it will deliver a message: the handle by which it could be recalled tells. */
  function deliveryTime(outcome: SendOutcome): number {
    if (outcome.outcome !== 'sent' || outcome.receipt === undefined)
      throw new Error('The broker holds no such message.');
    const handle = outcome.receipt.slice(outcome.receipt.lastIndexOf(':') + 1);
    const [, , , time] = Buffer.from(handle, 'base64url').toString().split(' ');
    return Number(time);
  }

  test('a ten-year delay: its record tells the due time, and its first hop waits at the broker', async () => {
    const { transport, sent } = watched();
    const producer = await start(transport, []);
    const at = new Date(Date.now() + 3_653 * DAY_MS);
    const { id } = await producer.schedule(task, null, { at });
    const aheadMs = deliveryTime(await sent()) - Date.now();
    expect(aheadMs).toBeGreaterThan(10 * HOUR_MS);
    expect(aheadMs).toBeLessThan(20 * HOUR_MS);
    expect(await producer.get(task, { id })).toMatchObject({ state: 'scheduled', dueAt: at });
  });

  test('a cron of 29 February: its next slot is years ahead, and its first hop waits at the broker', async () => {
    const { transport, sent } = watched();
    const definition = { ...implement(task, () => {}), recurring: { spec: { cron: '0 0 29 2 *', timezone: 'UTC' } } };
    const { schedules } = await start(transport, [definition]);
    const aheadMs = deliveryTime(await sent()) - Date.now();
    expect(aheadMs).toBeGreaterThan(10 * HOUR_MS);
    expect(aheadMs).toBeLessThan(20 * HOUR_MS);
    const next = (await schedules.get('work'))?.next[0];
    expect([next?.getUTCMonth(), next?.getUTCDate()]).toEqual([1, 29]);
  });

  /** The real broker in a time that leaps; `hops` tells how far ahead each message was sent. */
  function leaping(): { transport: Transport; clock: Clock; hops: number[] } {
    let leapMs = 0;
    const clock: Clock = { ...systemClock, now: () => systemClock.now() + leapMs };
    const transport = rocketmq({ endpoint: broker.endpoint, prefix, horizon: '370d', ...broker.access });
    const hops: number[] = [];
    const send = transport.send.bind(transport);
    transport.send = (messages) => {
      for (const { deliverAt } of messages) {
        const aheadMs = deliverAt - clock.now();
        if (aheadMs <= NEAR_MS) continue;
        hops.push(aheadMs);
        leapMs += aheadMs - NEAR_MS;
      }
      return send(messages.map((message) => ({ ...message, deliverAt: message.deliverAt - leapMs })));
    };
    return { transport, clock, hops };
  }

  test(
    'a chain of hops over ten years starts its job once, and not before its time',
    { timeout: 120_000 },
    async () => {
      const { transport, clock, hops } = leaping();
      const starts: number[] = [];
      let ran: () => void;
      const run = new Promise<void>((resolve) => (ran = resolve));
      const definition = implement(task, () => (starts.push(clock.now()), ran()));
      const worker = await start(transport, [definition], clock);
      const at = new Date(clock.now() + 3_653 * DAY_MS);
      await worker.schedule(task, null, { at });
      await run;
      expect(hops.length).toBeGreaterThanOrEqual(10); // none may be longer than the horizon
      expect(Math.max(...hops)).toBeLessThanOrEqual(370 * DAY_MS);
      expect(starts).toHaveLength(1);
      expect(starts[0]).toBeGreaterThanOrEqual(+at);
    },
  );

  test('a cron of 29 February runs in leap years, and in no other', { timeout: 120_000 }, async () => {
    const { transport, clock } = leaping();
    const slots: string[] = [];
    let ran: () => void;
    const runs = new Promise<void>((resolve) => (ran = resolve));
    const handler = implement(task, (_payload, { occurrence }) => {
      if (slots.push(occurrence?.slot.toISOString() ?? '') === 2) ran();
    });
    await start(transport, [{ ...handler, recurring: { spec: { cron: '0 0 29 2 *', timezone: 'UTC' } } }], clock);
    await runs;
    const years = slots.slice(0, 2).map((slot) => Number(slot.slice(0, 4)));
    expect(slots.slice(0, 2)).toEqual(years.map((year) => `${year}-02-29T00:00:00.000Z`));
    expect(years[1]! - years[0]!).toBe(4);
  });
});
