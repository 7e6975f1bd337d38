// Answers: what business code was told is true.
//
// H1  A job that was placed has a record when the answer comes; one that was sent has been stored, or lost by the broker.
//     A job that was kept or throttled instead has a record too.
// H2  Repeating an id gives the first answer.
// H3  `cancelled` means that the job's record says so; `requested` that its tombstone stands.
// H4  `unknown` or `settled` is not said of a job that had been open since before the call, and still is.

import type { LedgerRecord } from '@carillon/core/spi';
import type { Call, Observation } from '../observation.js';
import { Exemptions } from './exemptions.js';
import { bodyOf, envelopeOf } from './job-record.js';
import type { MonitorMaker } from './monitor.js';

interface Answer {
  readonly outcome: string;
  readonly id: string | undefined;
}

/** A job that is open, and after how many calls its record was first written. */
interface Open {
  readonly id: string;
  readonly task: string;
  readonly calls: number;
}

const AMENDS = new Set<string>(['cancel', 'reschedule', 'redrive']);
const ON_SCHEDULE = new Set(['scheduled', 'replaced', 'running', 'kept', 'throttled']);

/** Watches over the honesty of answers. */
export const answers: MonitorMaker = ({ violate }) => {
  const exemptions = new Exemptions();
  const placed = new Set<string>();
  const sent = new Set<string>();
  const cancelled = new Set<string>();
  const given = new Map<string, string>();
  const open = new Map<string, Open>();
  const underKey = new Map<string, Open>();
  let calls = 0;

  const wrote = (id: string, record: LedgerRecord): void => {
    placed.add(id);
    if (record.state === 'cancelled') cancelled.add(id);
    const { key, unkeyed } = bodyOf(record);
    if (record.state !== 'scheduled') {
      open.delete(id);
    } else if (!open.has(id)) {
      open.set(id, { id, task: record.task, calls });
    }
    if (key === undefined) return;
    const name = `${record.task}/${key}`;
    if (record.state !== 'scheduled' || unkeyed === true) {
      if (underKey.get(name)?.id === id) underKey.delete(name);
    } else if (underKey.get(name)?.id !== id) underKey.set(name, { id, task: record.task, calls });
  };

  const scheduled = (call: Call, { outcome, id }: Answer): void => {
    if (id === undefined) return;
    const there = outcome === 'sent' ? sent.has(id) || placed.has(id) : placed.has(id);
    if ((ON_SCHEDULE.has(outcome) || outcome === 'sent') && !there && !exemptions.hasName(id))
      violate('I2', id, `schedule answered ${outcome}, and nothing of the job is there`); // H1
    if (call.id === undefined || exemptions.hasName(call.id) || exemptions.hasName(id)) return;
    const answer = `${outcome} ${id}`;
    const first = given.get(call.id);
    if (first === undefined) given.set(call.id, answer);
    else if (first !== answer) violate('I2', call.id, `a repeated call was answered ${answer}, and ${first} before`); // H2
  };

  const amended = (call: Call, { outcome, id }: Answer): void => {
    if (id !== undefined && exemptions.hasName(id)) return;
    const cancels = call.call === 'cancel' && (outcome === 'cancelled' || outcome === 'requested');
    if (cancels && (id === undefined || !cancelled.has(id)))
      violate('I10', id ?? '', `cancel answered ${outcome}, and the job is not cancelled`); // H3
    if (outcome !== 'unknown' && outcome !== 'settled') return;
    if (call.call === 'redrive') return;
    const of = call.id === undefined ? underKey.get(`${call.task}/${call.key}`) : open.get(call.id);
    if (of === undefined || of.task !== call.task || of.calls >= call.number) return;
    if (exemptions.hasName(of.id) || (call.key !== undefined && exemptions.hasKey(call.task, call.key))) return;
    violate('I10', of.id, `${call.call} answered ${outcome} of a job that was open all the while`); // H4
  };

  const answered = ({ call, answer }: Observation & { what: 'answer' }): void => {
    if (call.call === 'schedule') scheduled(call, answer as Answer);
    else if (AMENDS.has(call.call)) amended(call, answer as Answer);
  };

  return {
    hears: ['record', 'message', 'call', 'answer', 'forgotten'],
    watch(observation) {
      exemptions.watch(observation);
      if (observation.what === 'call') calls = observation.call.number;
      if (observation.what === 'message' && (observation.change === 'stored' || observation.change === 'lost')) {
        const id = envelopeOf(observation.message)?.key.id;
        if (id !== undefined) sent.add(id);
      }
      if (observation.what === 'record' && observation.key.kind === 'job') {
        const { key, change, after } = observation;
        if (after === undefined) open.delete(key.id);
        if (change === 'expired') for (const known of [placed, cancelled, given]) known.delete(key.id);
        if (change === 'written') wrote(key.id, after!);
      }
      if (observation.what === 'answer' && !observation.failed) answered(observation);
    },
  };
};
