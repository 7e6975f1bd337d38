// Limits (I2): no attempt starts that the job's own limits rule out, as far as its record says them.
//
// M1  A never-again job starts no attempt once one of it has been interrupted.
// M2  As many interruptions, or as many recorded failures, as its call allows are the end of it. The limits of its task
//     stand in no record, so they are not judged here.

import { bodyOf } from './job-record.js';
import type { MonitorMaker } from './monitor.js';

/** Watches over the limits of attempts. */
export const limits: MonitorMaker = ({ grants, violate }) => {
  return {
    hears: ['attempt'],
    watch(observation) {
      if (observation.what !== 'attempt' || observation.moment !== 'started') return;
      const { attempt } = observation;
      const granted = grants.of(attempt)?.record;
      if (granted === undefined) return;
      const { overrides, interruptions: earlier = 0, failures = 0 } = bodyOf(granted);
      const interruptions = earlier + granted.interrupted.length;
      if (granted.durableGrant && interruptions > 0)
        violate('I2', attempt.jobId, 'a never-again job starts again after an interruption'); // M1
      if (overrides?.interruptions !== undefined && interruptions >= overrides.interruptions)
        violate('I2', attempt.jobId, `an attempt starts after ${interruptions} interruptions`); // M2
      if (typeof overrides?.attempts === 'number' && failures >= overrides.attempts)
        violate('I2', attempt.jobId, `an attempt starts after ${failures} failures`); // M2
    },
  };
};
