import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { offsetIn } from '../time/zone.js';
import { offsetsOf } from './zone-offsets.js';

const instant = fc.integer({ min: 0, max: Date.UTC(2100, 0, 1) });

describe('ZoneOffsets', () => {
  test.each(['UTC', 'Europe/Berlin', 'Australia/Lord_Howe', 'Africa/Casablanca', 'Africa/Cairo', 'Pacific/Apia'])(
    '%s: has the offset that Intl has, and stretches that join',
    (timezone) => {
      const zone = offsetsOf(timezone);
      fc.assert(
        fc.property(instant, (at) => {
          const stretch = zone.at(at);
          expect(stretch.startMs <= at && at < stretch.endMs).toBe(true);
          expect(stretch.offsetMs).toBe(offsetIn(timezone)(at));
          expect(zone.at(stretch.endMs).startMs).toBe(stretch.endMs);
          expect(zone.at(stretch.endMs - 1)).toBe(stretch);
        }),
        { numRuns: 300 },
      );
    },
  );

  test('knows how far the clock had come', () => {
    const zone = offsetsOf('Europe/Berlin');
    const [spring, autumn] = [Date.parse('2027-03-28T01:00Z'), Date.parse('2027-10-31T01:00Z')];
    expect(zone.at(spring)).toMatchObject({ startMs: spring, reachedMs: Date.parse('2027-03-28T02:00Z') });
    expect(zone.at(autumn)).toMatchObject({ startMs: autumn, reachedMs: Date.parse('2027-10-31T03:00Z') });
    expect(zone.at(spring - 1)).toMatchObject({ endMs: spring, offsetMs: 3_600_000 });
  });

  test('asks for the offset only where it has not been before', () => {
    const zone = offsetsOf('America/Havana');
    const first = zone.at(Date.UTC(2031, 6, 1));
    zone.at(Date.UTC(2045, 6, 1));
    expect(zone.at(first.endMs - 1)).toBe(first);
    expect(offsetsOf('America/Havana')).toBe(zone);
  });

  test('O2: has one memory for a zone, and forgets the oldest of very much', () => {
    const zone = offsetsOf('America/New_York');
    expect(offsetsOf('america/new_york')).toBe(zone);
    const first = zone.at(Date.UTC(2030, 6, 1));
    const month = (index: number): number => Date.UTC(2031, index, 1);
    for (let index = 0; index < 300; index += 1) zone.at(month(index));
    expect(zone.at(Date.UTC(2030, 6, 1))).toBe(first);
    for (let index = 0; index < 700; index += 1) zone.at(month(index));
    expect(zone.at(Date.UTC(2030, 6, 1))).not.toBe(first);
    expect(zone.at(Date.UTC(2030, 6, 1))).toEqual(first);
  });

  test('throws for a zone that this host does not know', () => {
    expect(() => offsetsOf('Mars/Olympus')).toThrow('E_ZONE');
  });
});
