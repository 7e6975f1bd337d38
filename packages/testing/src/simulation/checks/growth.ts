// Growth (I4): versions, generations and fences of a record never decrease.
//
// G1  That holds across the removal of a record too. A record whose retention has ended may begin anew, but its fence still
//     grows. Pauses are switches, which are removed and set again: of them nothing is remembered.
// G2  The generation is a job's or a schedule's; a pointer, an alias or an answer only repeats that of the job it was written for.
// G3  A settled job is remembered for as long as its last message may still arrive: else a fence would begin anew while an
//     old message lives.
// G4  A call for an on-claim job that is made again counts its delay anew; the job is remembered by its first message.

import type { Instant } from '@carillon/core/spi';
import { Exemptions } from './exemptions.js';
import { envelopeOf, identityOf, isSettled } from './job-record.js';
import type { MonitorMaker } from './monitor.js';

interface Highest {
  readonly version: number;
  readonly generation: number;
  readonly fence: number;
}

const NOTHING: Highest = { version: 0, generation: 0, fence: 0 };
const BROKER_KEEPS_MS = 3 * 86_400_000;

/** Watches over I4. */
export const growth: MonitorMaker = ({ violate }) => {
  const exemptions = new Exemptions();
  const removed = new Map<string, Highest>();
  const lastMessageAt = new Map<string, Instant>();

  return {
    hears: ['record', 'message', 'forgotten'],
    watch(observation) {
      exemptions.watch(observation);
      if (observation.what === 'forgotten') removed.delete(identityOf(observation.key));
      if (observation.what === 'message' && observation.change === 'stored') {
        const id = envelopeOf(observation.message)?.key.id;
        const isCallAgain = lastMessageAt.has(id ?? '') && observation.message.id.endsWith('#0'); // G4
        if (id === undefined || isCallAgain) return;
        lastMessageAt.set(id, Math.max(lastMessageAt.get(id) ?? 0, observation.message.deliverAt));
      }
      if (observation.what !== 'record' || observation.key.kind === 'pause') return;

      const { key, change, before, after } = observation;
      const gone = (removed.size > 0 && removed.get(identityOf(key))) || NOTHING;
      const { version, generation } = before ?? gone;
      const fence = Math.max(before?.fence ?? 0, gone.fence);
      if (after === undefined) {
        removed.set(identityOf(key), change === 'expired' ? { ...NOTHING, fence } : { version, generation, fence }); // G1
        return;
      }
      const isJob = key.kind === 'job';
      const isCounted = isJob || key.kind === 'schedule'; // G2
      if (after.version < version)
        violate('I4', key.id, `the version of a ${key.kind} record went from ${version} to ${after.version}`);
      if (isCounted && after.generation < generation)
        violate('I4', key.id, `the generation of a ${key.kind} went from ${generation} to ${after.generation}`);
      const lowest = change === 'granted' ? fence + 1 : (before?.fence ?? 0);
      if (after.fence < lowest) violate('I4', key.id, `the fence of a record went from ${fence} to ${after.fence}`);

      const settles = isJob && isSettled(after) && (before === undefined || !isSettled(before));
      if (!settles || exemptions.has(key.id)) return;
      const keptUntil = (lastMessageAt.get(key.id) ?? -Infinity) + BROKER_KEEPS_MS;
      if ((after.expiresAt ?? Infinity) < keptUntil)
        violate('I4', key.id, 'a settled job is forgotten while a message of it may still arrive'); // G3
    },
  };
};
