import { expect, it } from 'vitest';
import { progressOn } from './progress.js';

const course = { openedAt: 1000, days: 100, dayMs: 10, firstDate: '1997-01-01', purchases: 2000 };

function follow(isTTY: boolean) {
  const written: string[] = [];
  let now = course.openedAt;
  const progress = progressOn(
    { isTTY, write: (text: string | Uint8Array) => written.push(String(text)) > 0 },
    () => now,
  );
  return { progress, written, at: (day: number) => (now = course.openedAt + day * course.dayMs) };
}

it('writes a plain line at each tenth of the way, and every note, where nobody watches', () => {
  const { progress, written, at } = follow(false);
  progress.begin(course);
  progress.update({ served: 1 });
  at(10);
  progress.update({ served: 1234, sent: 56 });
  progress.update({ served: 1235 });
  progress.note('SIGKILL');
  at(120);
  progress.end();
  expect(written).toEqual([
    ' 10 %  1997-01-11  1,234 of 2,000 purchases, 56 mails sent\n',
    '       SIGKILL\n',
    '100 %  1997-04-11  1,235 of 2,000 purchases, 56 mails sent\n',
  ]);
});

it('draws a bar on a terminal', () => {
  const { progress, written, at } = follow(true);
  progress.begin(course);
  at(50);
  progress.update({ served: 1000, sent: 20 });
  progress.end();
  expect(written.at(-2)).toContain(`${'█'.repeat(15)}${'░'.repeat(15)}  50 %  1997-02-20  1,000 of 2,000 purchases`);
  expect(written.at(-1)).toBe('\n');
});
