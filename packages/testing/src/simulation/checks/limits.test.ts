import { expect, test } from 'vitest';
import { limits } from './limits.js';
import { type Fields, Story } from './story.fixture.test.js';

const LEASE = { holder: 'w', nonce: 'n', since: 0, until: 1 };

function found(fields: Fields): readonly string[] {
  const story = new Story(limits);
  story.write('a', fields);
  story.grant('a');
  story.attempt('a', 'started');
  return story.end();
}

test.each<[string, Fields, string[]]>([
  ['a plain job', {}, []],
  ['an interrupted one', { interrupted: [LEASE] }, []],
  ['a never-again job', { durableGrant: true }, []],
  ['within its limits', { body: { overrides: { attempts: 3, interruptions: 3 }, failures: 2, interruptions: 2 } }, []],
  [
    'an interrupted never-again job (M1)',
    { durableGrant: true, interrupted: [LEASE] },
    ['I2: a never-again job starts again after an interruption'],
  ],
  [
    'one with too many interruptions (M2)',
    { interrupted: [LEASE], body: { overrides: { interruptions: 2 }, interruptions: 1 } },
    ['I2: an attempt starts after 2 interruptions'],
  ],
  [
    'one with too many failures (M2)',
    { body: { overrides: { attempts: 2 }, failures: 2 } },
    ['I2: an attempt starts after 2 failures'],
  ],
])('%s', (_name, fields, expected) => {
  expect(found(fields)).toEqual(expected);
});
