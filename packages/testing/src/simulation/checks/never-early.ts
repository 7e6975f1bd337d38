// Never early (I5): no attempt starts before its due time, by the ledger's clock.
//
// N1  That is the due time which the attempt says, and the one of the record as it was granted. What the clock has shown
//     once stays shown, also if it steps back.
// N2  And it is the one that the messages of this generation say, whatever has become of the record's since: only an edit,
//     which is a new generation, or a wish brings a job forward.

import type { Instant } from '@carillon/core/spi';
import { bodyOf, envelopeOf } from './job-record.js';
import type { MonitorMaker } from './monitor.js';

/** Watches over I5. */
export const neverEarly: MonitorMaker = ({ servers, grants, violate }) => {
  const said = new Map<string, { readonly generation: number; readonly dueAt: Instant }>();

  return {
    hears: ['message', 'attempt'],
    watch(observation) {
      if (observation.what === 'message' && observation.change === 'stored') {
        const envelope = envelopeOf(observation.message);
        if (envelope === undefined || envelope.key.kind !== 'job') return;
        const { key, generation, dueAt } = envelope;
        const known = said.get(key.id);
        if (known === undefined || known.generation < generation) said.set(key.id, { generation, dueAt });
      }
      if (observation.what !== 'attempt' || observation.moment !== 'started') return;
      const { attempt } = observation;
      const now = servers.ledger.latest;
      const granted = grants.of(attempt)?.record;
      const dueAt = Math.max(attempt.dueAt, granted?.dueAt ?? -Infinity);
      if (dueAt > now) violate('I5', attempt.jobId, `an attempt started ${dueAt - now} ms before it was due`);
      const message = said.get(attempt.jobId);
      if (granted === undefined || message?.generation !== granted.generation || bodyOf(granted).wish !== undefined)
        return;
      if (message.dueAt > now)
        violate('I5', attempt.jobId, `an attempt started ${message.dueAt - now} ms before its message says`); // N2
    },
  };
};
