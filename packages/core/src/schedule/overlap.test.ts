import { describe, expect, it } from 'vitest';
import { decideOverlap, type Running } from './overlap.js';
import type { Overlap } from '../task/recurring.js';
import { KEPT, type Start } from './schedule.js';

const at = (...slots: number[]): Start[] => slots.map((slot) => ({ slot, origin: 'schedule' }));
const slotsOf = (starts: readonly Start[]): number[] => starts.map(({ slot }) => slot);

type Row = [
  Overlap,
  Running,
  number[],
  Partial<Record<'starts' | 'waits' | 'drops', number[]>> & { stop?: 'ask' | 'end' },
];

const rows: Row[] = [
  ['skip', 'nothing', [1], { starts: [1] }],
  ['skip', 'busy', [1], { drops: [1] }],
  ['skip', 'idle', [1], { drops: [1] }],
  ['skip', 'nothing', [1, 2, 3], { starts: [1], drops: [2, 3] }],
  ['buffer-one', 'nothing', [1], { starts: [1] }],
  ['buffer-one', 'busy', [1, 2], { waits: [1], drops: [2] }],
  ['buffer-one', 'nothing', [1, 2, 3], { starts: [1], waits: [2], drops: [3] }],
  ['buffer-all', 'busy', [1, 2], { waits: [1, 2] }],
  ['buffer-all', 'nothing', [1, 2, 3], { starts: [1], waits: [2, 3] }],
  ['cancel-other', 'nothing', [1], { starts: [1] }],
  ['cancel-other', 'busy', [1], { waits: [1], stop: 'ask' }],
  ['cancel-other', 'busy', [1, 2], { waits: [2], drops: [1], stop: 'ask' }],
  ['cancel-other', 'idle', [1], { starts: [1], stop: 'end' }],
  ['cancel-other', 'nothing', [1, 2], { starts: [2], drops: [1] }],
  ['terminate-other', 'busy', [1], { starts: [1], stop: 'end' }],
  ['terminate-other', 'busy', [1, 2], { starts: [2], drops: [1], stop: 'end' }],
  ['terminate-other', 'nothing', [1], { starts: [1] }],
  ['allow', 'busy', [1, 2], { starts: [1, 2] }],
];

describe('overlap', () => {
  it.each(rows)('%s, with %s running, decides about %j', (overlap, running, slots, expected) => {
    const { starts, waiting, dropped, stop } = decideOverlap(at(...slots), running, overlap);
    expect({
      starts: slotsOf(starts.map(({ start }) => start)),
      waits: slotsOf(waiting),
      drops: slotsOf(dropped.map(({ start }) => start)),
      stop,
    }).toEqual({ starts: [], waits: [], drops: [], stop: undefined, ...expected });
  });

  it('says that what was replaced before it began was superseded, and what was skipped overlapped', () => {
    expect(decideOverlap(at(1, 2), 'busy', 'cancel-other').dropped).toMatchObject([{ reason: 'superseded' }]);
    expect(decideOverlap(at(1), 'busy', 'skip').dropped).toMatchObject([{ reason: 'overlap' }]);
  });

  it("prefers a request's own policy", () => {
    const asked: Start[] = [{ slot: 1, origin: 'trigger', request: 'r', overlap: 'allow' }];
    expect(decideOverlap(asked, 'busy', 'skip')).toMatchObject({ starts: [{ followed: false }], dropped: [] });
  });

  it('lets a bounded number wait and start together, and loses none of them silently', () => {
    const many = at(...Array.from({ length: KEPT.waiting + 5 }, (_, slot) => slot));
    const buffered = decideOverlap(many, 'busy', 'buffer-all');
    expect([buffered.waiting.length, buffered.dropped.length]).toEqual([KEPT.waiting, 5]);
    const together = decideOverlap(many, 'busy', 'allow');
    expect(together.starts.length + together.waiting.length + together.dropped.length).toBe(many.length);
    expect(together.starts).toHaveLength(100);
  });
});
