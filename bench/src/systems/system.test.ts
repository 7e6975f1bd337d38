import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Payload } from './system.js';
import { PAYLOAD_BYTES, payloadDueAt } from './system.js';
import { systems } from './systems.js';

test('a payload has its length whatever its due time is', () => {
  for (const dueAt of [0, Date.now()]) expect(JSON.stringify(payloadDueAt(dueAt))).toHaveLength(PAYLOAD_BYTES);
});

// The others need servers; `npm run bench -- embedded --quick` runs them.
describe.each(['bare store', 'timers'] as const)('%s', (name) => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'carillon-bench-test-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('starts each job once and not early, completes it, and leaves alone what is not due', async () => {
    const system = await systems[name].open({ folder });
    const [past, soon, later] = [Date.now() - 5, Date.now() + 60, Date.now() + 3_600_000];
    const dues = [...Array.from({ length: 250 }, () => past), soon];
    await system.scheduleMany(dues.map(payloadDueAt));
    if (name === 'bare store') await system.schedule(payloadDueAt(later)); // a timer would hold the process
    const started: Payload[] = [];
    const early: Payload[] = [];
    await new Promise<void>((resolve, reject) => {
      let completed = 0;
      const options = {
        concurrency: 100,
        started: (payload: Payload) => {
          started.push(payload);
          if (Date.now() < payload.dueAt) early.push(payload);
        },
        completed: () => {
          completed += 1;
          if (completed === dues.length) resolve();
        },
      };
      system.work(options).catch(reject);
    });
    await system.close();
    expect(early).toEqual([]);
    expect(started.map(({ dueAt }) => dueAt).toSorted((a, b) => a - b)).toEqual(dues);
    expect(started[0]).toEqual(payloadDueAt(past));
  });
});
