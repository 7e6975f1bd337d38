import { expect, it } from 'vitest';
import type { Observation } from '../observation.js';
import { Audience } from './audience.js';

const healed: Observation = { what: 'healed', at: 1, host: undefined };
const fault: Observation = { what: 'fault', at: 2, host: 'engine-1', fault: 'slow', about: 'commit' };

it('tells each of what it hears, everything who does not say, in the order in which they came (N1)', () => {
  const audience = new Audience();
  const told: string[] = [];
  audience.add(({ what }) => void told.push(`first ${what}`), ['fault']);
  audience.add(({ what }) => void told.push(`second ${what}`));
  audience.add(({ what }) => void told.push(`third ${what}`), ['healed', 'fault']);
  audience.tell(healed);
  audience.tell(fault);
  expect(told).toEqual(['second healed', 'third healed', 'first fault', 'second fault', 'third fault']);
});
