// Plan: a schedule as users write it, checked and resolved once.
//
// P1  Whatever can be refused is refused here, before anything is written.
// P2  Two plans with one digest are the same plan, whoever wrote them.

import { CarillonError } from '../errors.js';
import { encodePayload } from '../message/payload.js';
import { digestOf as textDigest } from '../rule/digest.js';
import { parseRule, type Rule } from '../rule/rule.js';
import { atLeastOne, oneOf, onlyKnown, type ResolvedTask } from '../task/options.js';
import type { CatchUpSpec, Overlap, ScheduleSpec } from '../task/recurring.js';
import { durationMs } from '../time/duration.js';
import type { Plan } from './schedule.js';

/** A plan, with its rule and its digest. */
export interface ResolvedPlan {
  readonly plan: Plan;
  readonly rule: Rule;
  readonly digest: string;
}

/** Every way to handle an overlap. */
export const OVERLAPS: readonly Overlap[] = [
  'skip',
  'buffer-one',
  'buffer-all',
  'cancel-other',
  'terminate-other',
  'allow',
];

const POLICIES = ['overlap', 'catchUp', 'pauseOnFailure', 'limit', 'version'];
const NAME = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,126}$/;

/** Returns a schedule's id; throws `E_ID` unless it is made of 1 to 127 letters, digits and `. _ - : /`. */
export function checkScheduleId(id: string): string {
  if (typeof id === 'string' && NAME.test(id)) return id;
  throw new CarillonError('E_ID', `${JSON.stringify(id)?.slice(0, 80) ?? 'undefined'} can't name a schedule.`, {
    next: 'Use 1 to 127 letters, digits, dots, dashes, underscores, colons and slashes, starting with a letter or digit.',
  });
}

/** Resolves what a user wrote. Throws `E_RULE`, `E_OPTIONS`, `E_DURATION`, `E_ZONE`, `E_PAYLOAD`, `E_PAYLOAD_SIZE`. */
export function resolvePlan(
  id: string,
  task: ResolvedTask,
  spec: ScheduleSpec,
  payload: unknown,
  context: { readonly maxBytes: number; readonly declaredBy?: string | undefined },
): ResolvedPlan {
  const { overlap = 'skip', catchUp, pauseOnFailure, limit, version, ...ruleSpec } = spec;
  const where = `schedule ${id}`;
  oneOf(overlap, OVERLAPS, `overlap of ${where}`);
  const rule = parseRule(ruleSpec, where, POLICIES);
  encodePayload(payload, context.maxBytes, 'payload');
  if (task.record === 'on-claim') {
    throw new CarillonError('E_OPTIONS', `The task ${task.name} of ${where} is on-claim.`, {
      next: 'Leave out its record option: an occurrence always has a record.',
    });
  }
  const plan: Plan = {
    rule: rule.spec,
    action: {
      task: task.name,
      payload: payload === undefined ? null : payload,
      ...(task.neverAgain && { neverAgain: true }),
    },
    overlap,
    catchUp: catchUpOf(catchUp, where),
    ...(pauseOnFailure === true && { pauseOnFailure }),
    ...(limit !== undefined && { limit: atLeastOne(limit, `limit of ${where}`) }),
    ...(context.declaredBy !== undefined && { declaredBy: context.declaredBy }),
    ...(version !== undefined && { version: wholeNumber(version, `version of ${where}`) }),
  };
  return { plan, rule, digest: digestOf(plan, rule, task.queue) };
}

function catchUpOf(given: ScheduleSpec['catchUp'], where: string): Plan['catchUp'] {
  const spec: CatchUpSpec = typeof given === 'string' ? { mode: given } : (given ?? {});
  onlyKnown(spec, ['mode', 'within', 'most'], `catchUp of ${where}`);
  oneOf(spec.mode, ['skip', 'once', 'all'], `catchUp of ${where}`);
  return {
    mode: spec.mode ?? 'all',
    windowMs: durationMs(spec.within ?? '1m', `catchUp.within of ${where}`),
    most: Math.min(atLeastOne(spec.most ?? 100, `catchUp.most of ${where}`), 1_000),
  };
}

function wholeNumber(value: number, what: string): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new CarillonError('E_OPTIONS', `${what} is ${String(value)}.`, { next: 'Give a whole number, from 0.' });
}

function digestOf(plan: Plan, rule: Rule, queue: string): string {
  const { rule: _rule, version: _version, ...rest } = plan; // another version of the same plan changes nothing
  return textDigest(JSON.stringify([rest, rule.digest, queue], sorted));
}

/** Objects with their keys in order, so that equal ones give equal text. */
function sorted(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
