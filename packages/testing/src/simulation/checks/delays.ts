// Delays (I5): who asks for a delay gets all of it and no more, by the ledger's clock, whatever the clock shows of the host
// that reckons when it is over.
//
// D1  A job that is scheduled `in` a while is due that long after some moment within the call.
// D2  The end of an attempt, from which its next due time is counted, is noted as the ledger's clock showed it then.
// D3  The job is due as long after that as its handler asked for, or as its backoff says (retry-waits.ts): neither sooner,
//     which would hurry whoever fails, nor later.
// D4  A host is allowed what it can't know better (host-clocks.ts): of a call that outlives its process, what either did.

import { type Duration, durationMs, formatDuration, type Instant, type LedgerRecord } from '@carillon/core/spi';
import { Ruling } from '@carillon/core';
import type { Call, Observation } from '../observation.js';
import { HostClocks } from './host-clocks.js';
import { bodyOf, envelopeOf, startsOf } from './job-record.js';
import type { MonitorMaker } from './monitor.js';
import { RetryWaits } from './retry-waits.js';

/** A moment of the ledger's clock, as somebody knew it who may have been off. */
interface Moment {
  readonly ledgerAt: Instant;
  readonly errorMs: number;
}

/** The end of an attempt, as its handler saw it. */
interface Ended extends Moment {
  readonly host: string;
  readonly fence: number;
  readonly ruling: Ruling | undefined;
}

const PLACED = new Set(['scheduled', 'replaced', 'running', 'sent']);
const OWN_END = new Set(['done', 'failed', 'snoozed']); // the handler's own, not its time-out or its process's stop

/** Watches over delays. */
export const delays: MonitorMaker = ({ servers, violate }) => {
  const clocks = new HostClocks();
  const waits = new RetryWaits();
  const called = new Map<number, Moment & { readonly at: Instant }>(); // by the call's number
  const placed = new Map<string, { readonly at: Instant; readonly dueAt: Instant }>();
  const ended = new Map<string, Ended>(); // by job

  const moment = (host: string | undefined, at: Instant): Moment => {
    return { ledgerAt: servers.ledger.now(), errorMs: clocks.errorMs(host, at) };
  };

  /** D1. */
  const answered = (
    call: Call,
    { outcome, id }: { outcome: string; id?: string },
    { ledgerAt, errorMs }: Moment,
  ): void => {
    const before = called.get(call.number);
    const job = placed.get(id ?? '');
    if (before === undefined || job === undefined || id === undefined || job.at < before.at) return;
    placed.delete(id);
    if (!PLACED.has(outcome)) return;
    const delayMs = durationMs(call.options['in'] as Duration, 'in');
    const earlyMs = before.ledgerAt + delayMs - job.dueAt;
    if (earlyMs > before.errorMs) violate('I5', id, `a job is due ${formatDuration(earlyMs)} before its delay is over`);
    const lateMs = job.dueAt - ledgerAt - delayMs;
    if (lateMs > Math.max(errorMs, before.errorMs))
      violate('I5', id, `a job is due ${formatDuration(lateMs)} after its delay is over`);
  };

  /** D2, D3. */
  const settled = (id: string, before: LedgerRecord, after: LedgerRecord): void => {
    const end = ended.get(id);
    if (end?.fence !== before.fence || before.lease === undefined || after.lease !== undefined) return;
    const [was, is] = [bodyOf(before), bodyOf(after)];
    const last = is.attempts?.at(-1);
    if (startsOf(is) <= startsOf(was) || last === undefined || !OWN_END.has(last[3])) return;
    ended.delete(id);
    const { host, ledgerAt, errorMs, ruling } = end;
    const offMs = last[1] + last[2] - ledgerAt;
    if (Math.abs(offMs) > errorMs) {
      const off = `${formatDuration(Math.abs(offMs))} ${offMs < 0 ? 'before' : 'after'}`;
      violate('I5', id, `the end of an attempt was noted ${off} the ledger's clock showed it`);
    }
    if (after.state !== 'scheduled' || was.wish !== undefined) return;
    const { leastMs, mostMs } = waits.of(host, after, ruling, ledgerAt);
    const waitsMs = after.dueAt - ledgerAt;
    if (waitsMs < leastMs - errorMs || waitsMs > mostMs + errorMs)
      violate(
        'I5',
        id,
        `a job is due ${waitsMs} ms after its attempt, and is to wait ${Math.round(leastMs)} to ${Math.round(mostMs)}`,
      );
  };

  const ends = (observation: Observation & { what: 'attempt' }): void => {
    const { attempt, at, host = '', moment: when } = observation;
    if (when === 'started') return void ended.delete(attempt.jobId);
    const ruling = observation.error instanceof Ruling ? observation.error : undefined;
    const { ledgerAt, errorMs } = moment(host, at);
    ended.set(attempt.jobId, { ledgerAt, errorMs, host, fence: attempt.fence, ruling });
  };

  return {
    hears: ['record', 'message', 'attempt', 'call', 'answer', 'request', 'host', 'fault'],
    watch(observation) {
      clocks.watch(observation);
      waits.watch(observation);
      const { at, host } = observation;
      switch (observation.what) {
        case 'call':
          if (observation.call.options['in'] !== undefined && observation.call.call === 'schedule')
            called.set(observation.call.number, { ...moment(host, at), at });
          break;
        case 'answer':
          if (!observation.failed)
            answered(observation.call, observation.answer as { outcome: string; id?: string }, moment(host, at));
          called.delete(observation.call.number);
          break;
        case 'record': {
          const { key, change, before, after } = observation;
          if (key.kind !== 'job' || change !== 'written' || after === undefined) return;
          if (before === undefined) placed.set(key.id, { at, dueAt: after.dueAt });
          else settled(key.id, before, after);
          break;
        }
        case 'message': {
          const envelope = observation.change === 'stored' ? envelopeOf(observation.message) : undefined;
          if (envelope?.onClaim === true && !placed.has(envelope.key.id))
            placed.set(envelope.key.id, { at, dueAt: envelope.dueAt });
          break;
        }
        case 'attempt':
          ends(observation);
          break;
        default:
          break;
      }
    },
  };
};
