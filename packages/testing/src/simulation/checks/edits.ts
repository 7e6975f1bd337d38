// Edits (I10): what was edited never starts again as it was.
//
// D1  No attempt starts of a job that is cancelled, or that was granted in an older generation than the job's: an edit
//     counts from its commit, which comes before its answer.
// D2  No attempt starts under a grant that found the wish to cancel, or the wish for a due time that has not come.
// D3  A holder never drops the wish to cancel in a write that leaves the job open; a wish for another due time that came
//     while an attempt ran decides when the next one is due, unless that attempt ran for the wished time already.
// D4  What is cancelled stays cancelled; only an occurrence that was ended while its handler ran is done if that returns.
// D5  At most one open job of a task stands under a key.

import type { Instant, LedgerRecord } from '@carillon/core/spi';
import { Exemptions } from './exemptions.js';
import { bodyOf } from './job-record.js';
import type { MonitorMaker } from './monitor.js';

/** Watches over I10. */
export const edits: MonitorMaker = ({ servers, grants, violate }) => {
  const exemptions = new Exemptions();
  const underKey = new Map<string, string>();
  const ranFor = new Map<string, { readonly fence: number; readonly dueAt: Instant }>(); // the latest attempt of each job

  const wrote = (id: string, before: LedgerRecord, after: LedgerRecord): void => {
    const isEnded = bodyOf(before).wish !== undefined && after.state === 'done';
    if (before.state === 'cancelled' && after.state !== 'cancelled' && !isEnded)
      violate('I10', id, `a job that was cancelled became ${after.state}`); // D4
    const { wish } = bodyOf(before);
    const isHolders = before.lease !== undefined && after.lease === undefined; // of two edits the later counts
    if (!isHolders || wish === undefined || after.state !== 'scheduled' || bodyOf(after).wish !== undefined) return;
    if (wish.want === 'cancel') return violate('I10', id, 'the wish to cancel a job was dropped'); // D3
    const granted = grants.of({ jobId: id, fence: before.fence });
    const cameLater = granted !== undefined && bodyOf(granted.record).wish === undefined;
    if (!cameLater || !('at' in wish.due)) return;
    const wishedAt = Math.max(0, wish.due.at);
    const last = ranFor.get(id);
    const ranForIt = last?.fence === before.fence && last.dueAt === wishedAt; // an acquire that was repeated brought the wish
    if (after.dueAt !== wishedAt && !ranForIt)
      violate('I10', id, `a job was to be due at ${wish.due.at}, and is due at ${after.dueAt}`);
  };

  const stands = (id: string, record: LedgerRecord): void => {
    const { key, unkeyed } = bodyOf(record);
    if (key === undefined) return;
    const name = `${record.task}/${key}`;
    const other = underKey.get(name);
    if (record.state !== 'scheduled' || unkeyed === true) {
      if (other === id) underKey.delete(name);
      return;
    }
    underKey.set(name, id);
    if (other === undefined || other === id || exemptions.hasKey(record.task, key) || exemptions.has(other)) return;
    violate('I10', id, `another open job, ${other}, stands under the key ${key}`); // D5
  };

  return {
    hears: ['record', 'attempt', 'forgotten'],
    watch(observation) {
      exemptions.watch(observation);
      if (observation.what === 'record' && observation.change === 'written' && observation.key.kind === 'job') {
        const { key, before, after } = observation;
        if (exemptions.has(key.id)) return;
        if (before !== undefined) wrote(key.id, before, after!);
        stands(key.id, after!);
      }
      if (observation.what !== 'attempt' || observation.moment !== 'started') return;
      const { attempt } = observation;
      ranFor.set(attempt.jobId, { fence: attempt.fence, dueAt: attempt.dueAt });
      const granted = grants.of(attempt)?.record;
      if (granted === undefined || exemptions.has(attempt.jobId)) return;
      const now = servers.ledger.records.get(granted.key)?.record;
      if (now?.state === 'cancelled' && bodyOf(now).wish === undefined)
        violate('I10', attempt.jobId, 'an attempt started of a job that was cancelled');
      if ((now?.generation ?? 0) > granted.generation)
        violate('I10', attempt.jobId, 'an attempt started of a generation that was edited');
      const { wish } = bodyOf(granted);
      if (wish?.want === 'cancel')
        violate('I10', attempt.jobId, 'an attempt started against the wish to cancel the job');
      const wishedAt = wish?.want === 'reschedule' && 'at' in wish.due ? wish.due.at : -Infinity;
      if (wishedAt > servers.ledger.latest)
        violate('I10', attempt.jobId, 'an attempt started before the time that was wished for');
    },
  };
};
