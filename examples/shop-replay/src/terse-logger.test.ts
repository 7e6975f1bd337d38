import { type Logger, silentLogger } from '@carillon/core';
import { expect, it } from 'vitest';
import { terseLogger } from './terse-logger.js';

it('says each thing once, with the first line of its error', () => {
  const lines: unknown[] = [];
  const sink: Logger = { ...silentLogger, warn: (fields, message) => lines.push([fields, message]) };
  const logger = terseLogger(sink);
  logger.warn({ err: new Error('gone\nfor good') }, 'no answer');
  logger.child({ job: 1 }).warn({ err: new Error('gone again') }, 'no answer');
  logger.warn({}, 'slow');
  expect(lines).toEqual([
    [{ err: 'gone' }, 'no answer'],
    [{}, 'slow'],
  ]);
});
