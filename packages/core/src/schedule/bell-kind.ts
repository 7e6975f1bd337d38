// Bell kind: what a rung bell does: it wakes its schedule, which then looks at what has ended.
//
// K1  The message that wakes the schedule is promised by the bell; the schedule's own outbox stays as it is.

import { bellContent, bellMessage } from '../job/bell.js';
import { type Carriage, GRACE_MS } from '../job/carriage.js';
import { idOf, scheduleRecord } from '../message/names.js';
import type { Expectation, LedgerRecord, RecordContent, Write } from '../ports/ledger.js';
import type { Arrived, Kind, Step } from '../task/kind.js';
import { arm } from './arm.js';
import { readSchedule } from './schedule.js';

/** Makes the kind `bell`. */
export function bellKind(namespace: string, carriage: () => Carriage): Kind {
  const quiet = (record: LedgerRecord, expect: Expectation, outbox: RecordContent['outbox'] = []): Write => {
    return {
      do: 'put',
      key: record.key,
      expect,
      content: { ...bellContent(record.queue, record.dueAt, undefined), outbox },
    };
  };
  const nothing = (writes: readonly Write[]): Step => ({ writes, outbox: [], happenings: () => [] });

  return {
    name: 'bell',

    create: () => ({ malformed: 'a bell is never started by a message' }),

    concerns: (record) => [scheduleRecord(namespace, idOf(namespace, record.key))],

    arrive(record, now, _paused, [standing] = []): Arrived {
      const expect: Expectation = { version: record.version, fence: record.fence };
      const listens = standing !== undefined && ['active', 'paused', 'ended'].includes(standing.state);
      if (!listens) return { to: 'write', step: nothing([quiet(record, expect)]), guard: undefined };
      const { outbox, ...content } = arm({ ...readSchedule(standing), dueAt: now }, now, carriage(), [], now);
      const [tick] = outbox;
      const wakeAt = standing.outbox.length > 0 ? content.wakeAt : (tick?.wakeAt ?? content.wakeAt);
      const wake: Write = {
        do: 'put',
        key: standing.key,
        expect: { version: standing.version },
        content: { ...content, wakeAt, outbox: standing.outbox },
      };
      const step = { ...nothing([quiet(record, expect, outbox), wake]), outbox: outbox.map(({ message }) => message) }; // K1
      return { to: 'write', step, guard: undefined };
    },

    early: () => ({ to: 'ack' }),

    resend(record, now, jitter): Step {
      const again = Math.round(now + GRACE_MS * (1 + jitter));
      const content = bellContent(record.queue, record.dueAt, again);
      const write: Write = { do: 'put', key: record.key, expect: { version: record.version }, content };
      return { ...nothing([write]), outbox: [bellMessage(record.key, record.queue, now)] };
    },

    setAside: (record, expect) => nothing([quiet(record, expect)]),
  };
}
