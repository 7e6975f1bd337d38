import { expect, it } from 'vitest';
import { progressOn } from './progress.js';

const pace = { seeds: 5, hours: 120, tookMs: 2_000, workers: 2 };

function follow(isTTY: boolean) {
  const written: string[] = [];
  const stream = { isTTY, write: (text: string | Uint8Array) => written.push(String(text)) > 0 };
  return { written, progress: progressOn(stream, 1000) };
}

it('writes a plain line at each tenth of the way, and every note, where nobody watches', () => {
  const { written, progress } = follow(false);
  progress.update(1, pace);
  progress.update(100, pace);
  progress.update(199, pace);
  progress.note('making seed 7 small …');
  progress.update(1000, pace);
  progress.end();
  expect(written).toEqual([
    ' 10 %  100 of 1,000 seeds, 2.5 seeds/s, 30 simulated hours/s per core\n',
    'making seed 7 small …\n',
    '100 %  1,000 of 1,000 seeds, 2.5 seeds/s, 30 simulated hours/s per core\n',
  ]);
});

it('draws a bar on a terminal, and takes it away at the end', () => {
  const { written, progress } = follow(true);
  progress.update(500, pace);
  progress.note('a note');
  progress.end();
  const bar = `\r\x1b[K${'█'.repeat(15)}${'░'.repeat(15)}  50 %  500 of 1,000 seeds, 2.5 seeds/s, `;
  expect(written[0]).toContain(bar);
  expect(written.slice(1)).toEqual(['\r\x1b[K', 'a note\n', written[0], '\r\x1b[K']);
});
