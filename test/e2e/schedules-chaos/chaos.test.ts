// Schedules on a real RocketMQ and a real Redis, on replicas that are killed and started again at random, while their topic is
// deleted once and made anew: nothing is doubled, nothing is dead, and every gap is explained by a record (verdict.ts).
// Twenty schedules for 40 s here, two hundred for five minutes in `npm run soak`.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Carillon, type JobView, type ScheduleView, silentLogger } from '@carillon/core';
import { redis } from '@carillon/redis-dedupe';
import { rocketmq, rocketmqAdmin } from '@carillon/rocketmq';
import { startRedis, startRocketmq } from '@carillon/services';
import { describeWith } from '@carillon/services/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { effects } from './effects.js';
import { plansOf } from './plans.js';
import { Replicas } from './replicas.js';
import { tasks } from './tasks.js';
import { Misses, wrongs } from './verdict.js';

const LONG = process.env['SOAK_CHAOS'] !== undefined;
const {
  schedules: SCHEDULES,
  replicas: REPLICAS,
  seconds: SECONDS,
} = LONG ? { schedules: 200, replicas: 5, seconds: 300 } : { schedules: 20, replicas: 3, seconds: 40 };
const SEED = Number(process.env['SOAK_SEED'] ?? 1);
const TOPIC_PREFIX = 'chaos-';
const LEAD_SECONDS = LONG ? 20 : 5;
const GONE_MS = 4_000;
const LOOK_MS = 2_000; // in which a schedule tells of less than it remembers
const SETTLE_MS = LONG ? 300_000 : 120_000; // a lost message is healed within about a minute

describeWith(['own rocketmq', 'own redis'], 'schedules under chaos', () => {
  let stage: Awaited<ReturnType<typeof openStage>> | undefined;
  beforeAll(async () => {
    stage = await openStage();
  });
  afterAll(() => stage?.close());

  test(
    `${SCHEDULES} schedules on ${REPLICAS} replicas that are killed for ${SECONDS} s, their topic deleted once`,
    { timeout: (LEAD_SECONDS + SECONDS + 120) * 1000 + SETTLE_MS },
    async () => {
      const { judge, place, deleteTopic, createTopic } = stage!;
      const from = Math.ceil(Date.now() / 1000 + LEAD_SECONDS) * 1000;
      const span = { from, to: from + SECONDS * 1000 };
      const plans = plansOf(SCHEDULES, span);
      const puts = plans.map(({ id, policy, workMs, spec }) =>
        judge.schedules.put(id, tasks[policy], spec, { workMs }),
      );
      await Promise.all(puts);
      await using replicas = new Replicas(REPLICAS, place, SEED);
      expect(Date.now()).toBeLessThan(from); // else slots would have passed before their schedules were there

      const misses = new Map(plans.map(({ id }) => [id, new Misses()]));
      const look = async (): Promise<ReadonlyMap<string, ScheduleView>> => {
        const views = new Map<string, ScheduleView>();
        for await (const view of judge.schedules.all()) {
          misses.get(view.id)?.keep(view);
          views.set(view.id, view);
        }
        return views;
      };
      const lookUntil = async (time: number): Promise<void> => {
        do {
          await look();
          await sleep(LOOK_MS);
        } while (Date.now() < time);
      };
      const isOpen = async (): Promise<boolean> => {
        for (const { state } of (await look()).values()) if (state === 'active') return true;
        const open = await judge.jobs({ states: ['scheduled', 'running'] }).next();
        return open.done !== true;
      };

      await lookUntil(from + SECONDS * 250); // a quarter of it
      await deleteTopic();
      await lookUntil(Date.now() + GONE_MS);
      await createTopic();
      await lookUntil(span.to);
      await replicas.calm();
      for (const until = Date.now() + SETTLE_MS; Date.now() < until && (await isOpen());) await sleep(LOOK_MS);
      const views = await look();
      const badStops = await replicas.stop();

      const jobs: JobView[] = [];
      for await (const job of judge.jobs()) jobs.push(job);
      const log = effects(place.effects);
      const { killed } = replicas;
      const wrong = plans.flatMap((plan) =>
        wrongs({
          plan,
          schedule: views.get(plan.id)!,
          misses: misses.get(plan.id)!,
          jobs: jobs.filter(({ occurrence }) => occurrence?.schedule === plan.id),
          effects: log.filter(({ schedule }) => schedule === plan.id),
          killed,
        }),
      );
      console.info(summary([...views.values()], jobs, log.length, replicas));
      expect([...wrong, ...badStops]).toEqual([]);
      expect(jobs.some(({ interruptions }) => interruptions > 0)).toBe(true); // the kills did meet work
    },
  );
});

/** The servers, an engine that only looks, and what befalls the topic. */
async function openStage() {
  const folder = mkdtempSync(join(tmpdir(), 'carillon-chaos-'));
  const [broker, ledger] = await Promise.all([startRocketmq(), startRedis()]);
  const admin = rocketmqAdmin({ nameServer: `127.0.0.1:${broker.ports.nameserver}`, prefix: TOPIC_PREFIX });
  const createTopic = (): Promise<void> => admin.provision(['default']);
  await createTopic();
  const transport = rocketmq({ endpoint: broker.endpoint, prefix: TOPIC_PREFIX });
  const judge = new Carillon({
    backend: { transport, ledger: redis({ url: ledger.url, onFinding: () => {} }) },
    logger: silentLogger,
  });
  await judge.start();
  return {
    judge,
    place: {
      endpoint: broker.endpoint,
      topicPrefix: TOPIC_PREFIX,
      redisUrl: ledger.url,
      effects: join(folder, 'effects'),
    },
    createTopic,
    deleteTopic: () => broker.admin('deleteTopic', '-c', 'DefaultCluster', '-t', `${TOPIC_PREFIX}default`),
    async close() {
      await judge.stop();
      await Promise.all([broker.stop(), ledger.stop()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function summary(
  views: readonly ScheduleView[],
  jobs: readonly JobView[],
  lines: number,
  { killed, failedStarts }: Replicas,
): string {
  const missed: Record<string, number> = {};
  for (const { counts } of views) {
    for (const [reason, count] of Object.entries(counts.missed)) missed[reason] = (missed[reason] ?? 0) + count;
  }
  const interrupted = jobs.filter(({ interruptions }) => interruptions > 0).length;
  const ended: Record<string, number> = {};
  for (const { state } of jobs) ended[state] = (ended[state] ?? 0) + 1;
  const [occurrences, slots] = [JSON.stringify(ended), JSON.stringify(missed)];
  return `${killed.size} kills, ${failedStarts} starts without a topic; occurrences ${occurrences}, ${interrupted} of them
interrupted; missed slots ${slots}; ${lines} lines of handlers`;
}
