import { Carillon, defineTask, implement } from '@carillon/core';
import { memoryStore, VirtualClock } from '@carillon/testing';
import { pino } from 'pino';
import { expect, it, vi } from 'vitest';
import { consoleLogger } from './logger.js';

it('a pino logger fits as it is, and handlers get a child of it that names their attempt', async () => {
  const lines: Record<string, unknown>[] = [];
  const logger = pino({ level: 'debug' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const clock = new VirtualClock();
  const task = defineTask('speak');
  const tasks = [implement(task, (_payload, attempt) => attempt.log.info({ mood: 'fine' }, 'hello'))];
  const carillon = new Carillon({ backend: memoryStore({ clock }), clock, tasks, logger });
  await carillon.start();
  await carillon.schedule(task, undefined, { id: 'one' });
  await clock.advance(1);
  await carillon.stop();
  expect(lines).toMatchObject([{ msg: 'hello', mood: 'fine', task: 'speak', jobId: 'one', attempt: 1 }]);
});

it('the default logger writes warnings and errors as one line each, and nothing else', () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const log = consoleLogger().child({ task: 'mail' });
  log.debug({}, 'no');
  log.info({}, 'no');
  log.warn({ n: 1 }, 'careful');
  expect(warn.mock.calls).toEqual([['carillon: careful {"task":"mail","n":1}']]);
  warn.mockRestore();
});
