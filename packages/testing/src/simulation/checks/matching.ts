// Matching: at the end each job that was accepted is a target, and needs a completed run of its own in its window, or a
// reason, in the manner of Jepsen's checker of Chronos. Ids are unique, so a run belongs to the target whose id it has.
//
// M1  Every accepted job is done, or ended with a reason that the history justifies, or is open (what is overdue among these
//     is I3's), or its retention has ended. None has vanished.
// M2  A job that is done was completed once, after a start that was not before its due time (I5); the attempt returned (I2).
// M3  It was not late for nothing: a start is late by more than `LATE_MS` only if something has been wrong since
//     `CALM_MS` before it was due, or another job of its task was in its way, or there was no room (room.ts). Later than `BOUND_MS` after the last fault
//     nothing that was due is open: that is I3's.
// M4  An on-claim job without a record had each of its messages lost by a fault, or one is still under way.
// M5  Exempt are only the jobs of which the ledger forgot a write.

import { formatDuration, type Instant } from '@carillon/core/spi';
import { Exemptions } from './exemptions.js';
import { History, type JobHistory } from './history.js';
import type { MonitorMaker } from './monitor.js';
import { unjustified } from './reasons.js';

const LATE_MS = 60_000;
const CALM_MS = 2 * 3_600_000; // a sweep's longest grace, and more

/** Matches what was accepted with what was done. */
export const matching: MonitorMaker = ({ plan, servers, room, violate }) => {
  const exemptions = new Exemptions();
  const history = new History();
  const busyUntil = new Map<string, Instant>();
  const running = new Map<string, number>();
  let disturbedAt = -Infinity;
  let pauses = 0;
  let oldVersions = plan.faults.versions !== undefined;

  const judge = (id: string, job: JobHistory): void => {
    const { record } = job;
    if (exemptions.has(id) || job.gone === 'expired') return;
    if (record === undefined) {
      if (job.acceptedAt === undefined) return;
      const underWay = job.sent + job.copied - job.lost - job.acked;
      if (job.sent === 0) violate('I2', id, 'a job was accepted, and nothing of it is there');
      else if (job.acked > 0 || (underWay <= 0 && job.lost === 0))
        violate('I2', id, 'the messages of an on-claim job were acked, and there is no record of it');
      return; // M4
    }
    if (job.gone === 'removed') return violate('I2', id, 'a job has vanished');
    if (record.state === 'done') {
      if (job.completions.length !== 1) violate('I2', id, `a job was completed ${job.completions.length} times`);
      if (job.returned.length === 0) violate('I2', id, 'a job is done, and no attempt of it has returned');
      return;
    }
    if (record.state === 'scheduled') return;
    const against = unjustified(record, job, history, plan);
    if (against !== undefined) violate('I2', id, `a job ended as ${record.state}, but ${against}`);
  };

  const started = (id: string, task: string, dueAt: Instant, at: Instant): void => {
    const lateMs = servers.ledger.latest - Math.max(dueAt, history.of(id).placedAt ?? dueAt);
    if (lateMs <= LATE_MS || oldVersions || pauses > 0) return;
    const since = Math.min(dueAt, history.of(id).placedAt ?? dueAt) - CALM_MS;
    if (disturbedAt >= since || (running.get(task) ?? 0) > 0 || (busyUntil.get(task) ?? 0) >= at - 1_000) return;
    if ((room.lastFullAt(task, at) ?? -Infinity) >= at - LATE_MS) return;
    violate('I3', id, `an attempt started ${formatDuration(lateMs)} late, and nothing was in its way`);
  };

  return {
    hears: ['record', 'message', 'attempt', 'call', 'answer', 'host', 'fault', 'forgotten', 'healed'],
    watch(observation) {
      exemptions.watch(observation);
      history.watch(observation);
      const { at } = observation;
      if (observation.what === 'healed') oldVersions = false;
      if (observation.what === 'fault' || observation.what === 'forgotten' || observation.what === 'healed')
        disturbedAt = at;
      if (observation.what === 'host') {
        if (observation.change !== 'started') disturbedAt = at;
        if (observation.change === 'crashed' || observation.change === 'stopped') running.clear();
      }
      if (observation.what === 'record' && observation.key.kind === 'pause') {
        pauses += observation.after === undefined ? -1 : observation.before === undefined ? 1 : 0;
        disturbedAt = at;
      }
      if (observation.what !== 'attempt') return;
      const { jobId, task, dueAt, number } = observation.attempt;
      if (observation.moment === 'started') {
        if (number === 1) started(jobId, task, dueAt, at);
        running.set(task, (running.get(task) ?? 0) + 1);
      } else {
        running.set(task, Math.max(0, (running.get(task) ?? 0) - 1));
        busyUntil.set(task, at);
      }
    },
    atEnd() {
      for (const [id, job] of history.jobs) judge(id, job);
    },
  };
};
