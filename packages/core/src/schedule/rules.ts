// Rules: the rules of schedules, read once: a tick does not read its rule again.

import { parseRule, type Rule } from '../rule/rule.js';
import type { Schedule } from './schedule.js';

const MOST = 2_000;

/** Gives a schedule's rule; throws what `parseRule` throws, for a zone or a form that only another host knows. */
export type RuleOf = (schedule: Schedule) => Rule;

/** A memory of rules, by the digests of their plans. */
export function rememberedRules(): RuleOf {
  const known = new Map<string, Rule>();
  return ({ record, body }) => {
    let rule = known.get(body.digest);
    if (rule === undefined) {
      rule = parseRule(body.plan.rule, `schedule ${record.id}`);
      const [oldest] = known.keys();
      if (known.size >= MOST && oldest !== undefined) known.delete(oldest);
      known.set(body.digest, rule);
    }
    return rule;
  };
}
