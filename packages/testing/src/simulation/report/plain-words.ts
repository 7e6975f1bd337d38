// Plain words: what a run shows of itself, as lines for people: when, which engine, what it does, to which record, and more.

import type { Instant, LedgerRecord, RecordKey } from '@carillon/core/spi';
import type { Call, HostChange, MessageChange, Observation, ObservedAttempt, RecordChange } from '../observation.js';
import { FAULTS } from '../plan/faults.js';

/** One line of a trace, in its columns. */
export interface Line {
  readonly at: Instant;
  /** Who does it; empty for a server. */
  readonly host: string;
  readonly does: string;
  /** What it is done to: a job, a message, another record. */
  readonly to: string;
  readonly more: string;
}

/** Fields of a job's body that say how it fares. */
const TOLD_OF_BODY = ['hop', 'sweeps', 'failures', 'interruptions', 'starts', 'wish', 'unkeyed', 'reason'] as const;

/** Fields of a schedule's body that say how it fares. */
const TOLD_OF_SCHEDULE = ['edition', 'counts', 'running', 'waiting', 'requests', 'sweeps', 'reason'] as const;

const RECORD: Record<RecordChange, string> = {
  written: 'writes',
  granted: 'is granted',
  renewed: 'renews',
  sent: 'marks as sent',
  removed: 'removes',
  expired: 'lets expire',
};
const MESSAGE: Record<MessageChange, string> = {
  stored: 'sends',
  copied: 'sends a copy of',
  lost: 'loses',
  delivered: 'receives',
  acked: 'acks',
  released: 'gives back',
};
const HOST: Record<HostChange, string> = {
  started: 'starts its process',
  crashed: 'CRASHES',
  paused: 'STANDS STILL',
  resumed: 'goes on',
  stopping: 'begins to stop',
  stopped: 'has stopped',
};

/** Says an observation in words; undefined for a request that was served, which says nothing new. */
export function inWords(observation: Observation): Line | undefined {
  const { at } = observation;
  const line = (does: string, to: string, more = ''): Line => ({ at, host: observation.host ?? '', does, to, more });
  switch (observation.what) {
    case 'record': {
      const { change, key, before, after } = observation;
      return line(RECORD[change], nameOf(key), changes(before, after, at));
    }
    case 'forgotten': {
      const { key, before, after } = observation;
      const more = after === undefined ? 'the record is gone' : changes(before, after, at);
      return { ...line('FORGETS', nameOf(key), more), host: 'ledger' };
    }
    case 'message': {
      const { change, message } = observation;
      const sends = change === 'stored' || change === 'copied';
      return line(MESSAGE[change], message.id, sends ? `to be delivered at ${timeOf(message.deliverAt, at)}` : '');
    }
    case 'attempt': {
      const { moment, attempt } = observation;
      if (moment === 'started') return line('starts', attempt.jobId, attemptText(attempt, at));
      const ending = moment === 'threw' ? `: ${messageOf(observation.error)}` : '';
      return line(
        moment === 'threw' ? 'throws in' : 'returns from',
        attempt.jobId,
        `attempt ${attempt.number}${ending}`,
      );
    }
    case 'call':
      return line(`calls ${observation.call.call}`, aboutOf(observation.call), shown(observation.call.options));
    case 'answer': {
      const { call, answer, failed, tries } = observation;
      const what = failed ? `error: ${messageOf(answer)}` : shown(answer);
      return line(`${call.call} answers`, aboutOf(call), tries > 1 ? `${what}, after ${tries} tries` : what);
    }
    case 'request':
      return observation.served ? undefined : line('hears nothing', `${observation.to}.${observation.name}`);
    case 'event':
      return line(`tells ${observation.event}`, idIn(observation.data), shown(withoutNames(observation.data)));
    case 'host':
      return line(
        HOST[observation.change],
        '',
        observation.change === 'started' ? `version ${observation.version}` : '',
      );
    case 'fault':
      return line(`FAULT ${observation.fault}`, observation.about, FAULTS[observation.fault].means);
    case 'healed':
      return line('all faults end', '');
  }
}

/** A line as text, in columns. */
export function textOf({ at, host, does, to, more }: Line): string {
  return `${timeOf(at)}  ${host.padEnd(8)}  ${does.padEnd(16)}  ${to}${more === '' ? '' : `  ${more}`}`.trimEnd();
}

/** A time as `2026-01-01 00:10:00.000`, without the date if that is the day of `near`. */
export function timeOf(instant: Instant, near?: Instant): string {
  if (!Number.isFinite(instant) || Math.abs(instant) > 8.64e15) return String(instant);
  const [date = '', time = ''] = new Date(instant).toISOString().slice(0, -1).split('T');
  return near !== undefined && new Date(near).toISOString().startsWith(date) ? time : `${date} ${time}`;
}

function nameOf({ kind, id }: RecordKey): string {
  return kind === 'job' ? id : `${kind} ${id}`;
}

/** What a change of a record comes to: all that counts of a new one, else what is other than before. */
function changes(before: LedgerRecord | undefined, after: LedgerRecord | undefined, at: Instant): string {
  if (after === undefined) return before === undefined ? '' : `it was ${before.state}`;
  if (after.key.kind === 'schedule') return scheduleChanges(before, after, at);
  if (after.key.kind !== 'job') return after.body.startsWith('{') ? after.state : `→ ${after.body}`;
  const told: string[] = [];
  if (before?.state !== after.state) told.push(before === undefined ? after.state : `${before.state} → ${after.state}`);
  if (before?.dueAt !== after.dueAt) told.push(`due ${timeOf(after.dueAt, at)}`);
  if (before !== undefined && before.generation !== after.generation) told.push(`generation ${after.generation}`);
  if (after.fence > (before?.fence ?? 0)) told.push(`fence ${after.fence}`);
  const { lease } = after;
  if (lease !== undefined && lease.until !== before?.lease?.until) {
    told.push(`leased to ${lease.holder} until ${timeOf(lease.until, at)}`);
  }
  if (after.interrupted.length > (before?.interrupted.length ?? 0)) {
    told.push(`the lease of ${after.interrupted.at(-1)!.holder} had ended without a word`);
  }
  const was = bodyOf(before);
  const is = bodyOf(after);
  for (const field of TOLD_OF_BODY) {
    if (shown(was[field]) !== shown(is[field])) told.push(`${field} ${shown(is[field] ?? 'none')}`);
  }
  for (const { message } of after.outbox) {
    const known = before?.outbox.some((entry) => entry.message.id === message.id) ?? false;
    if (!known) told.push(`promises ${message.id} at ${timeOf(message.deliverAt, at)}`);
  }
  return told.join(', ');
}

/** What a change of a schedule comes to. */
function scheduleChanges(before: LedgerRecord | undefined, after: LedgerRecord, at: Instant): string {
  const [was, is] = [bodyOf(before), bodyOf(after)];
  const told: string[] = before?.state === after.state ? [] : [after.state];
  if (before?.generation !== after.generation) told.push(`generation ${after.generation}`);
  if (is['next'] !== was['next'])
    told.push(`next ${is['next'] === undefined ? 'none' : timeOf(Number(is['next']), at)}`);
  for (const field of TOLD_OF_SCHEDULE) {
    const text = JSON.stringify(is[field]);
    if (text !== JSON.stringify(was[field])) told.push(`${field} ${text ?? 'none'}`);
  }
  return told.join(', ');
}

function bodyOf(record: LedgerRecord | undefined): Readonly<Record<string, unknown>> {
  try {
    return (JSON.parse(record?.body ?? '{}') ?? {}) as Record<string, unknown>;
  } catch {
    return {}; // a damaged body has nothing to tell
  }
}

function attemptText({ number, fence, dueAt }: ObservedAttempt, at: Instant): string {
  return `attempt ${number}, fence ${fence}, due ${timeOf(dueAt, at)}`;
}

function aboutOf({ id, key, task }: Call): string {
  if (key === undefined) return id ?? task;
  return id === undefined ? `key ${key} of ${task}` : `${id} under key ${key} of ${task}`;
}

function idIn(data: object): string {
  return 'id' in data ? String(data.id) : '';
}

function withoutNames(data: object): object {
  const { id: _id, task: _task, queue: _queue, ...rest } = data as Record<string, unknown>;
  return rest;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : shown(error);
}

/** A value as short text: `outcome: "replaced", id: "order-7"`. */
function shown(value: unknown): string {
  if (value instanceof Error) return value.message;
  if (typeof value !== 'object' || value === null) return typeof value === 'string' ? value : String(value);
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return fields
    .map(([name, field]) => `${name}: ${field instanceof Error ? field.message : JSON.stringify(field)}`)
    .join(', ');
}
