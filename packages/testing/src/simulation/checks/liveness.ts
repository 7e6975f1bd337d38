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

import type { Instant, LedgerRecord } from '@carillon/core/spi';
import { envelopeOf, isSettled } from './job-record.js';
import type { MonitorMaker } from './monitor.js';

const SLACK_MS = 15 * 60_000;

/** Judges I3 at the end. */
export const liveness: MonitorMaker = ({ servers, now, violate }) => {
  const boots = new Map<string, number>();
  const alive = new Set<string>();

  const isHeld = (record: LedgerRecord | undefined, at: Instant): boolean =>
    record?.lease !== undefined && record.lease.until > at && alive.has(record.lease.holder);

  return {
    watch(observation) {
      if (observation.what !== 'host' || observation.host === undefined) return;
      const { host, change } = observation;
      if (change === 'started') boots.set(host, (boots.get(host) ?? 0) + 1);
      const name = `${host}.${boots.get(host) ?? 0}`;
      if (change === 'started') alive.add(name);
      if (change === 'crashed' || change === 'stopped') alive.delete(name);
    },

    atEnd() {
      const { ledger, broker } = servers;
      const at = ledger.latest;
      const paused = new Set([...ledger.records.kind('pause')].map(({ record }) => record.key.id));
      for (const { record } of ledger.records.kind('job')) {
        const { key, lease, queue, task, dueAt, wakeAt } = record;
        if (isSettled(record) || isHeld(record, at)) continue;
        const waits = paused.has(`queue/${queue}`) || paused.has(`task/${task}`);
        if (wakeAt === undefined) violate('I3', key.id, 'an open job wants no attention');
        else if (lease !== undefined && lease.until < at - SLACK_MS && !waits)
          violate('I3', key.id, `a job is leased by ${lease.holder}, and its lease ended ${at - lease.until} ms ago`);
        else if (dueAt < at - SLACK_MS && !waits)
          violate('I3', key.id, `a job is overdue by ${at - dueAt} ms, and nobody holds it`);
      }
      for (const { message, visibleAt } of broker.all()) {
        const envelope = envelopeOf(message);
        const lateMs = now() - message.deliverAt;
        if (lateMs < SLACK_MS || paused.has(`queue/${message.queue}`)) continue;
        const record = envelope && ledger.records.get(envelope.key)?.record;
        if (isHeld(record, at) || (record !== undefined && paused.has(`task/${record.task}`))) continue;
        violate('I3', message.id, `a message is at the broker ${lateMs} ms after its time, to come at ${visibleAt}`);
      }
    },
  };
};
