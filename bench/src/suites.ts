// The suites by name: a new suite is a new file and one line here.

import { embedded } from './embedded.js';
import { redis } from './redis.js';
import type { Suite } from './report.js';
import { rocketmqSuite } from './rocketmq/rocketmq.js';
import { schedules } from './schedules.js';

/** What `npm run bench -- <name>` can run. */
export const suites: ReadonlyMap<string, Suite> = new Map<string, Suite>([
  ['embedded', embedded],
  ['rocketmq', rocketmqSuite],
  ['redis', redis],
  ['schedules', schedules],
]);
