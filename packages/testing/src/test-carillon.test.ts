import { defineTask, implement } from '@carillon/core';
import { expect, it } from 'vitest';
import { testCarillon } from './test-carillon.js';

const remind = defineTask<{ who: string }>('remind', { in: '60d' });

it('lets sixty days pass in no time, and runs what falls due on the way', async () => {
  const reminded: [string, string][] = [];
  const app = await testCarillon([
    implement(remind, ({ who }, attempt) => void reminded.push([who, attempt.startedAt.toISOString()])),
  ]);
  await app.schedule(remind, { who: 'ann' });
  await app.schedule(remind, { who: 'bob' }, { in: '30m' });

  await app.advance('29m');
  expect(reminded).toEqual([]);
  await app.advance('1m');
  expect(reminded).toEqual([['bob', '2026-01-01T00:30:00.000Z']]);
  await app.advance('60d');
  expect(reminded).toEqual([
    ['bob', '2026-01-01T00:30:00.000Z'],
    ['ann', '2026-03-02T00:00:00.000Z'],
  ]);
  await app.stop();
});

it('begins when it is told to', async () => {
  const app = await testCarillon([], { startAt: new Date('2030-05-01T12:00:00Z') });
  await app.advance('1h');
  expect(app.now).toEqual(new Date('2030-05-01T13:00:00Z'));
  await app.stop();
});
