import { expect, test } from 'vitest';
import { Roster } from './roster.js';

const member = (name: string): { name: string; place: number } => ({ name, place: -1 });

test('who comes and goes is there exactly meanwhile, whatever the order', () => {
  const roster = new Roster<ReturnType<typeof member>>();
  const [a, b, c] = [member('a'), member('b'), member('c')];
  const names = (): string =>
    roster
      .all()
      .map(({ name }) => name)
      .toSorted()
      .join('');
  for (const one of [a, b, c]) roster.add(one);
  expect(roster.remove(a)).toBe(true);
  expect(names()).toBe('bc');
  expect(roster.remove(a)).toBe(false);
  expect(roster.remove(c)).toBe(true);
  roster.add(a);
  expect(names()).toBe('ab');
  expect(roster.size).toBe(2);
  roster.clear();
  expect(roster.remove(b)).toBe(false);
  expect(names()).toBe('');
});
