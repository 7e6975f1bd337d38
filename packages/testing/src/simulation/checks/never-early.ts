// Never early (I5): no attempt starts before its due time, by the ledger's clock.
//
// N1  That is the due time which the attempt says, and the one of the record as it was granted. What the clock has shown
//     once stays shown, also if it steps back.

import type { MonitorMaker } from './monitor.js';

/** Watches over I5. */
export const neverEarly: MonitorMaker = ({ servers, grants, violate }) => {
  return {
    watch(observation) {
      if (observation.what !== 'attempt' || observation.moment !== 'started') return;
      const { attempt } = observation;
      const now = servers.ledger.latest;
      const dueAt = Math.max(attempt.dueAt, grants.of(attempt)?.record.dueAt ?? -Infinity);
      if (dueAt > now) violate('I5', attempt.jobId, `an attempt started ${dueAt - now} ms before it was due`);
    },
  };
};
