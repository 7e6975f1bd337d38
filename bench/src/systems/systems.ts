// The systems by name: a new one is a new file and one line here.

import { bareStore } from './bare-store.js';
import { bullmq } from './bullmq.js';
import { carillon } from './carillon.js';
import { graphileWorker } from './graphile-worker.js';
import type { SystemEntry } from './system.js';
import { timers } from './timers.js';

const entries = {
  Carillon: carillon,
  'bare store': bareStore,
  BullMQ: bullmq,
  'Graphile Worker': graphileWorker,
  timers,
} satisfies Record<string, SystemEntry>;

/** The name of a system, as rows show it. */
export type SystemName = keyof typeof entries;

/** What can be measured. */
export const systems: Readonly<Record<SystemName, SystemEntry>> = entries;
