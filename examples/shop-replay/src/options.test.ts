import { expect, it } from 'vitest';
import { parseOptions } from './options.js';

it('has defaults', () => {
  expect(parseOptions([])).toMatchObject({ transport: 'embedded', ledger: 'embedded' });
  expect(parseOptions([])).toMatchObject({ dayMs: 40, workers: 2, json: false, keep: false, help: false });
  expect(parseOptions([]).input).toMatch(/data.purchases\.csv$/);
});

it('reads every flag', () => {
  const flags = ['--day', '2s', '--workers', '3', '--input', 'mine.csv', '--json', '--keep', '--help'];
  flags.push('--transport', 'rocketmq', '--ledger', 'redis');
  expect(parseOptions(flags)).toEqual({
    dayMs: 2000,
    workers: 3,
    transport: 'rocketmq',
    ledger: 'redis',
    input: 'mine.csv',
    json: true,
    keep: true,
    help: true,
  });
});

it.each([
  [['--day', '40'], '--day 40: write a number of at least 1 with its unit, such as 40ms or 1s.'],
  [['--day', '0ms'], '--day 0ms:'],
  [['--day=-1ms'], '--day -1ms:'],
  [['--workers', '0'], '--workers 0: write a whole number from 1 to 64.'],
  [['--workers', '1.5'], '--workers 1.5:'],
  [['--workers', ''], '--workers :'],
  [['--days', '1ms'], "Unknown option '--days'"],
  [['--transport', 'kafka'], '--transport kafka: write embedded or rocketmq.'],
  [['--ledger', 'paper'], '--ledger paper: write embedded or redis.'],
  [['file.csv'], "Unexpected argument 'file.csv'"],
])('refuses %j', (args, message) => {
  expect(() => parseOptions(args)).toThrow(message);
});
