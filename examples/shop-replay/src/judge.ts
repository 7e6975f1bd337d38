// Judge: says from what was written down alone whether every mail went out exactly as the shop was promised.
//
// J1  A review request is sent once, and not before the shop's call plus the delay.
// J2  A win-back is either sent once, or was replaced and the shop was told so; where the answer said that the replaced
//     job was running or had begun attempts, it is sent at most once.
// J3  A repeat that the gateway absorbed is excused only if the first request came within a second before its worker
//     was killed, or from a worker that lost its lease. Any other repeat counts as twice.
// J4  Rows are known by their number: two rows that read alike are two purchases.

import { type Acceptance, type Answer, jobId, type Kill, type LostLease, type MailKind } from './evidence.js';
import type { Purchase } from './purchases.js';

/** What the judge goes by; answers and acceptances stand in the order in which they were written down. */
export interface Evidence {
  readonly purchases: readonly Purchase[];
  readonly answers: readonly Answer[];
  readonly acceptances: readonly Acceptance[];
  readonly kills: readonly Kill[];
  readonly lostLeases: readonly LostLease[];
}

/** What the judge found; each finding is a sentence. */
export interface Verdict {
  readonly purchases: number;
  /** Review requests and win-backs that went out. */
  readonly reviews: number;
  readonly winBacks: number;
  /** Win-backs that did not go out because the shop was told that they were replaced. */
  readonly replaced: number;
  readonly lost: readonly string[];
  readonly twice: readonly string[];
  readonly early: readonly string[];
  readonly contradictions: readonly string[];
  /** Attempts that began, as far as the gateway saw the later ones. */
  readonly attempts: number;
  readonly absorbedRepeats: number;
  /** How long after its due time each mail was accepted, in milliseconds, ascending. */
  readonly latenessMs: readonly number[];
}

const BEFORE_KILL_MS = 1_000;

/** True if nothing was lost, twice or early, and nothing contradicts an answer. */
export function isClean({ lost, twice, early, contradictions }: Verdict): boolean {
  return lost.length + twice.length + early.length + contradictions.length === 0;
}

/** Judges a replay. */
export function judge(evidence: Evidence): Verdict {
  const answers = new Map(evidence.answers.map((answer) => [jobId(answer.kind, answer.row), answer]));
  const requests = byJob(evidence.acceptances);
  const contradictions: string[] = [];
  const replacedBy = replacements(evidence.purchases, answers, requests, contradictions);
  const sent: Record<MailKind, number> = { review: 0, 'win-back': 0 };
  const lost: string[] = [];
  const twice: string[] = [];
  const early: string[] = [];
  const latenessMs: number[] = [];
  let replaced = 0;
  let attempts = 0;
  let absorbedRepeats = 0;

  const judgeMail = (kind: MailKind, row: number): void => {
    const id = jobId(kind, row);
    const answer = answers.get(id);
    const asked = requests.get(id) ?? [];
    requests.delete(id);
    const [first] = asked;
    attempts += asked.reduce((most, { attempt }) => Math.max(most, attempt), 0);
    for (const request of asked.slice(1)) {
      if (!request.absorbed) twice.push(`${id} went out again, for ${request.worker}.`);
      else if (isExcused(first as Acceptance, evidence)) absorbedRepeats += 1;
      else twice.push(`${id} was asked for again by ${request.worker}, and no crash or lost lease excuses it.`);
    }

    if (answer === undefined) {
      lost.push(`${id}: the shop never got an answer.`);
    } else if (first !== undefined) {
      const lateMs = first.at - answer.calledAt - answer.delayMs;
      latenessMs.push(lateMs);
      if (lateMs < 0) early.push(`${id} went out ${String(-lateMs)} ms early.`); // J1
    }

    const replacing = kind === 'review' ? undefined : replacedBy.get(row);
    if (first !== undefined) sent[kind] += 1;
    if (replacing === undefined) {
      if (first === undefined && answer !== undefined) lost.push(`${id} never went out.`);
    } else if (first === undefined) {
      replaced += 1;
    } else if (replacing.outcome === 'replaced' && replacing.replaced?.attempts === 0) {
      contradictions.push(`${id} went out, though the shop was told that ${replacing.id} replaced it unbegun.`); // J2
    }
  };

  for (const { row } of evidence.purchases) {
    judgeMail('review', row);
    judgeMail('win-back', row);
  }
  for (const id of requests.keys()) contradictions.push(`${id} went out, and there is no such purchase.`);

  return {
    purchases: evidence.purchases.length,
    reviews: sent.review,
    winBacks: sent['win-back'],
    replaced,
    lost,
    twice,
    early,
    contradictions,
    attempts,
    absorbedRepeats,
    latenessMs: latenessMs.toSorted((a, b) => a - b),
  };
}

/** Which answer said of which row that its win-back was replaced; answers that can't be true are contradictions. */
function replacements(
  purchases: readonly Purchase[],
  answers: ReadonlyMap<string, Answer>,
  requests: ReadonlyMap<string, readonly Acceptance[]>,
  contradictions: string[],
): ReadonlyMap<number, Answer> {
  const replacedBy = new Map<number, Answer>();
  const latestOf = new Map<string, number>();
  for (const { row, customer } of purchases) {
    const review = answers.get(jobId('review', row));
    if (review !== undefined && (review.outcome !== 'scheduled' || review.id !== jobId('review', row))) {
      contradictions.push(`${jobId('review', row)} was answered with ${review.outcome} ${review.id}.`);
    }

    const answer = answers.get(jobId('win-back', row));
    const before = latestOf.get(customer);
    latestOf.set(customer, row);
    if (answer === undefined) continue;
    const { outcome, replaced } = answer;
    const id = jobId('win-back', row);
    const previous = before === undefined ? undefined : jobId('win-back', before);
    if (answer.id !== id || !['scheduled', 'replaced', 'running'].includes(outcome)) {
      contradictions.push(`${id} was answered with ${outcome} ${answer.id}.`);
    } else if (outcome !== 'scheduled') {
      if (before !== undefined && replaced?.id === previous) replacedBy.set(before, answer);
      else
        contradictions.push(
          `${id} was answered with ${outcome} ${replaced?.id ?? 'nothing'}, not ${previous ?? 'scheduled'}.`,
        );
    } else if (previous !== undefined && (requests.get(previous)?.[0]?.at ?? 0) > answer.answeredAt) {
      contradictions.push(`${previous} went out after the shop had been told that ${id} replaces nothing.`);
    }
  }
  return replacedBy;
}

/** J3. A request that was on its way when its worker died may be accepted a moment after the kill. */
function isExcused(first: Acceptance, { kills, lostLeases }: Evidence): boolean {
  return (
    kills.some(({ worker, at }) => worker === first.worker && first.at >= at - BEFORE_KILL_MS) ||
    lostLeases.some((lost) => lost.worker === first.worker && lost.jobId === jobId(first.kind, first.row))
  );
}

function byJob(acceptances: readonly Acceptance[]): Map<string, Acceptance[]> {
  const groups = new Map<string, Acceptance[]>();
  for (const acceptance of acceptances) {
    const id = jobId(acceptance.kind, acceptance.row);
    const group = groups.get(id);
    if (group === undefined) groups.set(id, [acceptance]);
    else group.push(acceptance);
  }
  return groups;
}
