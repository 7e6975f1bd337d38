// Liveness (I3): with everything healthy and room free, nothing stays overdue longer than a stated bound.
//
// The bound. What is overdue is taken up within a lease (30 s) after a worker vanished, 5 s after a send failed, 15 s after
// a message was lost (docs/guarantees.md); but the grace of a sweep doubles with each message that is lost, up to an hour
// and half an hour of jitter, and a job of a task that only a new version knows is given back for 15 minutes. So a job that
// was due when the last fault ended is taken up within 2 h, and `BOUND_MS` of run.ts leaves room beside. What fell due later
// met no fault: it must not be open `SLACK_MS` after its time. Judged at the end of the healthy phase:
//
// L1  No open job is overdue by more than `SLACK_MS`, unless a live process holds it, or its queue or task is paused.
// L2  No lease belongs to a process that is no longer there, `SLACK_MS` after it has ended.
// L3  No message waits at the broker for more than `SLACK_MS` after its time, unless a live process holds its job, or its
//     queue is paused.
// L4  None of this holds while it lacks room: its task, or the whole engine, is at its limit wherever the task runs. That is
//     backlog, which is counted. There may have been room for `SLACK_MS` of the time since it was to be taken up, no longer.

import { formatDuration, type Instant, type LedgerRecord } from '@carillon/core/spi';
import { timeOf } from '../report/plain-words.js';
import { envelopeOf, isSettled } from './job-record.js';
import type { MonitorMaker } from './monitor.js';

const SLACK_MS = 15 * 60_000;
const TAKEN_UP_MS = 2 * 3_600_000;

/** Judges I3 at the end. */
export const liveness: MonitorMaker = ({ servers, now, room, excuse, violate }) => {
  let healedAt = -Infinity;
  const running = new Map<string, number>(); // job → fence

  const isHeld = (record: LedgerRecord | undefined, at: Instant): boolean =>
    record?.lease !== undefined && record.lease.until > at && room.isAlive(record.lease.holder);
  /** L4. */
  const lacksRoom = (task: string, dueAt: Instant): boolean => {
    const since = Math.max(dueAt, healedAt + TAKEN_UP_MS);
    const fullAt = room.lastFullAt(task, now()) ?? -Infinity;
    return fullAt >= since && room.roomyMs(task, since, now()) <= SLACK_MS;
  };

  return {
    hears: ['attempt', 'healed'],
    watch(observation) {
      if (observation.what === 'healed') healedAt = observation.at;
      if (observation.what !== 'attempt') return;
      const { jobId, fence } = observation.attempt;
      if (observation.moment === 'started') running.set(jobId, fence);
      else running.delete(jobId);
    },

    atEnd() {
      const { ledger, broker } = servers;
      const at = ledger.latest;
      const paused = new Set([...ledger.records.kind('pause')].map(({ record }) => record.key.id));
      const excused = new Set<string>();
      for (const { record } of ledger.records.kind('job')) {
        const { key, lease, queue, task, dueAt, wakeAt } = record;
        if (isSettled(record)) continue;
        const overdueMs = at - dueAt;
        if (isHeld(record, at)) {
          const waits = running.get(key.id) !== record.fence && overdueMs > SLACK_MS && lacksRoom(task, dueAt);
          if (waits) excused.add(key.id); // an engine has it, and no slot for it
          continue;
        }
        if (wakeAt === undefined) violate('I3', key.id, 'an open job wants no attention');
        const endedMs = lease === undefined ? 0 : at - lease.until;
        if (Math.max(endedMs, overdueMs) <= SLACK_MS) continue;
        if (paused.has(`queue/${queue}`) || paused.has(`task/${task}`)) continue;
        if (lacksRoom(task, dueAt)) excused.add(key.id);
        else if (endedMs > SLACK_MS)
          violate(
            'I3',
            key.id,
            `a job is leased by ${lease!.holder}, and its lease ended ${formatDuration(endedMs)} ago`,
          );
        else violate('I3', key.id, `a job is overdue by ${formatDuration(overdueMs)}, and nobody holds it`);
      }
      for (const { message, visibleAt } of broker.all()) {
        const envelope = envelopeOf(message);
        const lateMs = now() - message.deliverAt;
        if (lateMs < SLACK_MS || paused.has(`queue/${message.queue}`)) continue;
        const record = envelope && ledger.records.get(envelope.key)?.record;
        if (isHeld(record, at) || (record !== undefined && paused.has(`task/${record.task}`))) continue;
        if (envelope !== undefined && lacksRoom(envelope.task, message.deliverAt)) excused.add(envelope.key.id);
        else
          violate(
            'I3',
            message.id,
            `a message is at the broker ${formatDuration(lateMs)} after its time, to come at ${timeOf(visibleAt)}`,
          );
      }
      for (const _ of excused) excuse();
    },
  };
};
