// Fifty workers on messages that each come twice: every job is started once and completed once. 1,000 jobs here, 10,000 in
// `npm run soak`.

import { type RedisServer, startRedis } from '@carillon/services';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Fleet, tasks } from './fleet.js';

const WORKERS = 50;
const JOBS = Number(process.env['SOAK_JOBS'] ?? 1_000);

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

it(`${WORKERS} workers × ${JOBS} duplicated messages: ${JOBS} completions, no double start`, async () => {
  await using fleet = new Fleet({ workers: WORKERS, ledger: { url: server.url, timeoutMs: 60_000 }, copies: 2 });
  await fleet.start();
  const policies = ['retry', 'never-again'] as const;
  for (let from = 0; from < JOBS; from += 500) {
    await fleet.carillon.scheduleMany(
      Array.from({ length: 500 }, (_, index) => {
        const id = `job-${from + index}`;
        return { task: tasks[policies[index % 2]!], payload: null, options: { id } };
      }),
    );
  }
  await fleet.completed(JOBS);
  expect(fleet.starts.size).toBe(JOBS);
  expect(fleet.doubles).toEqual([]);
  expect(fleet.deliveries).toBeGreaterThan(JOBS); // the copies did come
});
