// Completions (I2): a job is completed at most once, by an attempt that returned.
//
// C1  A job goes over into done at most once, and stays done. It is not granted any more from then on.
// C2  It does so under a fence whose attempt has returned, written by the process that held it.
// C3  An attempt starts at most once under a fence, and only under one that was granted.
// C4  What an attempt came to is recorded only by who holds the job: the record counts another attempt only where that very
//     write resolves its lease.

import type { LedgerRecord } from '@carillon/core/spi';
import { Exemptions } from './exemptions.js';
import { Fences } from './fences.js';
import { bodyOf, mayGoBack, startsOf } from './job-record.js';
import type { MonitorMaker } from './monitor.js';

/** Watches over I2 as it happens; `matching` judges it at the end. */
export const completions: MonitorMaker = ({ grants, violate }) => {
  const exemptions = new Exemptions();
  const done = new Set<string>();
  const started = new Fences();
  const returned = new Fences();

  const wrote = (id: string, host: string | undefined, before: LedgerRecord | undefined, after: LedgerRecord): void => {
    const wasDone = before?.state === 'done';
    if (wasDone && after.state !== 'done') violate('I2', id, `a job that was done became ${after.state}`);
    if (after.state === 'done' && !wasDone) {
      if (done.has(id)) violate('I2', id, 'a job was completed a second time');
      if (!returned.has(id, after.fence))
        violate('I2', id, `a job was completed under the fence ${after.fence}, whose attempt has not returned`);
      done.add(id);
    }
    const resolved = before?.lease !== undefined && after.lease === undefined;
    if (resolved && host !== undefined && !before.lease.holder.startsWith(`${host}.`))
      violate('I2', id, `${host} resolved a lease that ${before.lease.holder} held`);
    if (before !== undefined && !resolved && startsOf(bodyOf(after)) > startsOf(bodyOf(before)))
      violate('I2', id, 'the end of an attempt was recorded without holding the job');
  };

  return {
    hears: ['record', 'attempt', 'forgotten'],
    watch(observation) {
      exemptions.watch(observation);
      if (observation.what === 'record') {
        const { key, change, before, after, host } = observation;
        if (key.kind !== 'job') return;
        if (change === 'expired') done.delete(key.id);
        if (exemptions.has(key.id)) return;
        if (change === 'removed' && !mayGoBack(before!)) violate('I2', key.id, 'the record of a job was removed');
        if (change === 'granted' && before !== undefined && before.state !== 'scheduled')
          violate('I2', key.id, `a job that is ${before.state} was granted`);
        if (change === 'written') wrote(key.id, host, before, after!);
      }
      if (observation.what === 'attempt') {
        const { jobId, fence } = observation.attempt;
        if (observation.moment === 'returned' && observation.error === undefined) returned.add(jobId, fence);
        if (observation.moment !== 'started') return;
        if (!started.add(jobId, fence)) violate('I2', jobId, `an attempt started twice under the fence ${fence}`);
        if (grants.of(observation.attempt) === undefined && !exemptions.has(jobId))
          violate('I2', jobId, `an attempt started under the fence ${fence}, which was not granted`);
      }
    },
  };
};
