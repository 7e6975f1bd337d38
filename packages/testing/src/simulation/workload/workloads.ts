// Workloads: the built-in ones, by name.

import { hops } from './hops.js';
import { keys } from './keys.js';
import { mixed } from './mixed.js';
import { schedules, weeks } from './schedules.js';
import { streams } from './streams.js';
import type { Workload } from './workload.js';

/** The built-in workloads; `mixed` is the default. */
export const WORKLOADS: Readonly<Record<string, Workload>> = { mixed, streams, keys, hops, schedules, weeks };
