// The works by name.

import { drain } from './drain.js';
import { footprint } from './footprint.js';
import { empty, loaded } from './loaded.js';
import { burst, lateness } from './punctuality.js';
import { schedule } from './schedule.js';
import type { Work } from './work.js';

const entries = { schedule, drain, lateness, burst, footprint, empty, loaded } satisfies Record<string, Work>;

/** The name of a work. */
export type WorkName = keyof typeof entries;

/** What can be done with a system. */
export const works: Readonly<Record<WorkName, Work>> = entries;
