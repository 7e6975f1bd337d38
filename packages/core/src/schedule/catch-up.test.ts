import { describe, expect, it } from 'vitest';
import { catchUp } from './catch-up.js';
import type { CatchUp } from './schedule.js';

const SECOND = 1_000;
const now = 1_000 * SECOND;
const ago = (...seconds: number[]): number[] => seconds.map((each) => now - each * SECOND);
const policy = (mode: CatchUp['mode'], windowSeconds: number, most = 100): CatchUp => {
  return { mode, windowMs: windowSeconds * SECOND, most };
};

type Row = [string, CatchUp, number[], number[]];

const rows: Row[] = [
  ['runs a slot in time, whatever the mode: all', policy('all', 60), [0], [0]],
  ['runs a slot in time, whatever the mode: once', policy('once', 60), [0], [0]],
  ['runs a slot in time, whatever the mode: skip', policy('skip', 60), [0], [0]],
  ['leaves out what is beyond the window', policy('all', 60), [90, 61, 60, 30, 0], [60, 30, 0]],
  ['runs the newest, up to the cap', policy('all', 3600, 2), [90, 60, 30], [60, 30]],
  ['runs the latest once', policy('once', 3600), [90, 60, 30], [30]],
  ['runs nothing once if the latest is beyond the window', policy('once', 20), [90, 60, 30], []],
  ['skips what is late to speak of, however long the window', policy('skip', 3600), [90], []],
  ['skips all but the one in time', policy('skip', 3600), [120, 60, 0], [0]],
  ['never runs what is beyond a window of nothing', policy('all', 0), [1], []],
];

describe('catch-up', () => {
  it.each(rows)('%s', (_, given, slots, run) => {
    const caught = catchUp(ago(...slots), false, given, (slot) => now - slot);
    expect(caught.run).toEqual(ago(...run));
    expect([...caught.tooLate, ...caught.run]).toEqual(ago(...slots)); // none is lost
  });

  it.each<[CatchUp, number]>([
    [policy('once', 3600), 1],
    [policy('skip', 3600), 1],
    [policy('all', 3600, 2), 2],
    [policy('all', 3600, 9), 3],
  ])('C3: runs none while more follow, and leaves what may be the newest: %o', (given, left) => {
    const slots = ago(90, 60, 30);
    const caught = catchUp(slots, true, given, (slot) => now - slot);
    expect(caught).toEqual({ run: [], tooLate: slots.slice(0, 3 - left), left });
  });
});
