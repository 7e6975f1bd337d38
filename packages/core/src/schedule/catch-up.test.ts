import { describe, expect, it } from 'vitest';
import { catchUp } from './catch-up.js';
import type { CatchUp } from './schedule.js';

const SECOND = 1_000;
const now = 1_000 * SECOND;
const ago = (...seconds: number[]): number[] => seconds.map((each) => now - each * SECOND);
const policy = (mode: CatchUp['mode'], windowSeconds: number, most = 100): CatchUp => {
  return { mode, windowMs: windowSeconds * SECOND, most };
};

type Row = [string, CatchUp, number[], number[], boolean?];

const rows: Row[] = [
  ['runs a slot in time, whatever the mode: all', policy('all', 60), [0], [0]],
  ['runs a slot in time, whatever the mode: once', policy('once', 60), [0], [0]],
  ['runs a slot in time, whatever the mode: skip', policy('skip', 60), [0], [0]],
  ['leaves out what is beyond the window', policy('all', 60), [90, 61, 60, 30, 0], [60, 30, 0]],
  ['runs the newest, up to the cap', policy('all', 3600, 2), [90, 60, 30], [60, 30]],
  ['runs the latest once', policy('once', 3600), [90, 60, 30], [30]],
  ['runs nothing once if the latest is beyond the window', policy('once', 20), [90, 60, 30], []],
  ['runs nothing once while more slots follow', policy('once', 3600), [90, 60], [], true],
  ['runs all while more slots follow', policy('all', 3600), [90, 60], [90, 60], true],
  ['skips what is late to speak of, however long the window', policy('skip', 3600), [90], []],
  ['skips all but the one in time', policy('skip', 3600), [120, 60, 0], [0]],
  ['never runs what is beyond a window of nothing', policy('all', 0), [1], []],
];

describe('catch-up', () => {
  it.each(rows)('%s', (_, given, slots, run, more = false) => {
    const caught = catchUp(ago(...slots), more, given, (slot) => now - slot);
    expect(caught.run).toEqual(ago(...run));
    expect([...caught.tooLate, ...caught.run]).toEqual(ago(...slots)); // none is lost
  });
});
