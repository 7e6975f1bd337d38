import 'reflect-metadata';
import { Carillon } from '@carillon/core';
import { gated, memoryStore } from '@carillon/testing';
import { expect, it } from 'vitest';
import type { Answer } from './evidence.js';
import type { Purchase } from './purchases.js';
import { Shop } from './shop.js';

const DAY_MS = 60_000; // so long that nothing falls due in a test

function setUp() {
  const backend = gated(memoryStore());
  const answers: Answer[] = [];
  const shop = new Shop({
    carillon: new Carillon({ backend }),
    answers: { append: async (answer) => void answers.push(answer) },
    dayMs: DAY_MS,
    pause: async () => {},
  });
  return { shop, answers, ledger: backend.ledger };
}

function purchase(row: number, customer: string): Purchase {
  return { row, day: 0, date: '1997-01-01', customer };
}

it('asks for a review and for a win-back that replaces the one before, in the order of the purchases (S1)', async () => {
  const { shop, answers } = setUp();
  await Promise.all([1, 2, 3].map((row) => shop.sell(purchase(row, 'ann'))));
  expect(answers.map(({ id, outcome, delayMs, replaced }) => [id, outcome, delayMs / DAY_MS, replaced?.id])).toEqual([
    ['review-1', 'scheduled', 7, undefined],
    ['win-back-1', 'scheduled', 60, undefined],
    ['review-2', 'scheduled', 7, undefined],
    ['win-back-2', 'replaced', 60, 'win-back-1'],
    ['review-3', 'scheduled', 7, undefined],
    ['win-back-3', 'replaced', 60, 'win-back-2'],
  ]);
  expect(shop.served).toBe(3);
});

it('repeats a call with its id until it is answered, and is told what the first one did (S2)', async () => {
  const { shop, answers, ledger } = setUp();
  await shop.sell(purchase(1, 'ann'));
  ledger.fail('commit', { skip: 1 }); // the review passes
  ledger.fail('commit', { times: 2, when: 'before' });
  await shop.sell(purchase(2, 'ann'));
  expect(answers.at(-1)).toMatchObject({ id: 'win-back-2', outcome: 'replaced', replaced: { id: 'win-back-1' } });
  expect(answers.at(-1)?.troubles).toHaveLength(3);
  expect(answers.at(-1)?.troubles[0]).toContain('E_UNCLEAR');
});

it('is told of a replacement whose answer was lost on its way', async () => {
  const { shop, answers, ledger } = setUp();
  await shop.sell(purchase(1, 'ann'));
  ledger.fail('commit', { skip: 2, when: 'after' }); // the review, the win-back that meets the old one, the replacement
  await shop.sell(purchase(2, 'ann'));
  expect(answers.at(-1)).toMatchObject({ outcome: 'replaced', replaced: { id: 'win-back-1', attempts: 0 } });
  expect(answers.at(-1)?.troubles).toHaveLength(1);
});

it('gives up after half a minute of errors', async () => {
  const { shop, answers, ledger } = setUp();
  ledger.fail('commit', { times: 60 });
  await expect(shop.sell(purchase(1, 'ann'))).rejects.toThrow('E_UNCLEAR');
  expect(answers).toEqual([]);
});
