import { expect, test } from 'vitest';
import type { Finding } from './fitness.js';
import { Unreadable } from './unreadable.js';

test('N1: a record that can’t be read is told once, by a name that redis-cli takes', () => {
  const findings: Finding[] = [];
  const unreadable = new Unreadable((finding) => findings.push(finding));
  const why = 'It has the format 2. Start the newer version.';
  const key = Buffer.concat([Buffer.from('shop{0a}a"\\'), Buffer.from([0, 200])]);
  unreadable.tell(key, why);
  unreadable.tell(key, why);
  unreadable.tell(Buffer.from('shop{0a}b'), why);
  expect(findings.map(({ concern, refused, next }) => [concern, refused, next])).toEqual(
    Array.from({ length: 2 }, () => ['unreadable', false, why]),
  );
  expect(findings[0]!.message).toContain(String.raw`"shop{0a}a\x22\x5c\x00\xc8"`);
});
