// Schedule record: reads what records of schedules say, by itself, as job-record.ts does for jobs.

import { type Instant, type LedgerRecord, parseRule, type Rule } from '@carillon/core/spi';
import type { RuleSpec } from '@carillon/core';

/** An occurrence: its slot, and the request that it answers if it was asked for. */
export interface OccurrenceKey {
  readonly slot: Instant;
  readonly request?: string;
}

/** What somebody asked a schedule for beside its rule. */
export type Request =
  | { readonly ask: 'trigger'; readonly id: string; readonly at: Instant }
  | { readonly ask: 'backfill'; readonly id: string; readonly from: Instant; readonly to: Instant };

/** The parts of a schedule's body that monitors look at. */
export interface ScheduleBody {
  readonly plan: {
    readonly rule: RuleSpec;
    readonly action: { readonly task: string; readonly payload: unknown };
    readonly overlap: string;
    readonly limit?: number;
    readonly version?: number;
    readonly declaredBy?: string;
  };
  readonly digest: string;
  readonly edition: number;
  readonly next?: Instant;
  readonly ahead?: { readonly slot: Instant; readonly dueAt: Instant };
  readonly takenTo: Instant;
  readonly watermark: Instant;
  readonly gap?: { readonly until: Instant };
  readonly remaining?: number;
  readonly running?: readonly OccurrenceKey[];
  readonly waiting?: readonly OccurrenceKey[];
  readonly requests?: readonly Request[];
  readonly counts: { readonly started: number; readonly missed: Readonly<Record<string, number>> };
  readonly hop?: number;
  readonly sweeps?: number;
  readonly reason?: string;
}

const bodies = new WeakMap<LedgerRecord, ScheduleBody>();
const rules = new Map<string, Rule>();
const MOST_RULES = 2_000;

/** The body of a schedule's record. */
export function scheduleOf(record: LedgerRecord): ScheduleBody {
  let body = bodies.get(record);
  if (body === undefined) bodies.set(record, (body = JSON.parse(record.body) as ScheduleBody));
  return body;
}

/** The rule by which a schedule finds its slots. */
export function ruleOf({ plan, digest }: ScheduleBody): Rule {
  let rule = rules.get(digest);
  if (rule !== undefined) return rule;
  if (rules.size === MOST_RULES) rules.clear();
  rules.set(digest, (rule = parseRule(plan.rule, 'a schedule')));
  return rule;
}

/** How many slots were missed, for whatever reason. */
export function missedOf({ counts }: ScheduleBody): number {
  return Object.values(counts.missed).reduce((sum, count) => sum + count, 0);
}

/** What an occurrence is called within its schedule. */
export function nameOf({ slot, request }: OccurrenceKey): string {
  return request === undefined ? String(slot) : `${slot}~${request}`;
}

/** What an occurrence's job is called within its schedule, read off the job's id. */
export function nameIn(jobId: string, slot: Instant): string {
  const tilde = jobId.indexOf('Z~', jobId.lastIndexOf('@'));
  return tilde === -1 ? String(slot) : `${slot}~${jobId.slice(tilde + 2, -3)}`;
}
