import { describe, expect, it } from 'vitest';
import { type Acceptance, type Answer, DAYS, jobId, type MailKind } from './evidence.js';
import { type Evidence, isClean, judge } from './judge.js';
import type { Purchase } from './purchases.js';

const DAY_MS = 10;
const START = 1_000_000;

/** Ann buys on day 0 and again on day 30; Bob buys once, twice word for word the same, on day 1. */
const purchases: readonly Purchase[] = [
  { row: 1, day: 0, date: '1997-01-01', customer: 'ann' },
  { row: 2, day: 1, date: '1997-01-02', customer: 'bob' },
  { row: 3, day: 1, date: '1997-01-02', customer: 'bob' },
  { row: 4, day: 30, date: '1997-01-31', customer: 'ann' },
];

function purchase(row: number): Purchase {
  return purchases[row - 1] as Purchase;
}

function answer(kind: MailKind, row: number, more: Partial<Answer> = {}): Answer {
  const calledAt = START + purchase(row).day * DAY_MS;
  return {
    kind,
    row,
    id: jobId(kind, row),
    delayMs: DAYS[kind] * DAY_MS,
    calledAt,
    answeredAt: calledAt + 1,
    troubles: [],
    outcome: 'scheduled',
    ...more,
  };
}

function accepted(kind: MailKind, row: number, more: Partial<Acceptance> = {}): Acceptance {
  const { day, customer } = purchase(row);
  return {
    kind,
    row,
    customer,
    worker: 'worker-1.1',
    attempt: 1,
    at: START + (day + DAYS[kind]) * DAY_MS + 2,
    idempotencyKey: jobId(kind, row),
    absorbed: false,
    ...more,
  };
}

/** A replay in which all went well: rows 1 and 2 had their win-backs replaced. */
function flawless(): { -readonly [K in keyof Evidence]: Evidence[K][number][] } {
  const replacing = (row: number, before: number): Answer =>
    answer('win-back', row, { outcome: 'replaced', replaced: { id: jobId('win-back', before), attempts: 0 } });
  return {
    purchases: [...purchases],
    answers: [
      ...purchases.map(({ row }) => answer('review', row)),
      answer('win-back', 1),
      answer('win-back', 2),
      replacing(3, 2),
      replacing(4, 1),
    ],
    acceptances: [
      ...purchases.map(({ row }) => accepted('review', row)),
      accepted('win-back', 3),
      accepted('win-back', 4),
    ],
    kills: [],
    lostLeases: [],
  };
}

/** The flawless replay with another answer to one call. */
function answering(changed: Answer): ReturnType<typeof flawless> {
  const evidence = flawless();
  evidence.answers = evidence.answers.map((one) =>
    one.kind === changed.kind && one.row === changed.row ? changed : one,
  );
  return evidence;
}

describe('a flawless replay', () => {
  it('is clean, and every mail is counted', () => {
    const verdict = judge(flawless());
    expect(isClean(verdict)).toBe(true);
    expect(verdict).toMatchObject({
      purchases: 4,
      reviews: 4,
      winBacks: 2,
      replaced: 2,
      attempts: 6,
      absorbedRepeats: 0,
    });
    expect(verdict.latenessMs).toEqual([2, 2, 2, 2, 2, 2]);
  });
});

it.each(['lost', 'twice', 'early', 'contradictions'] as const)('%s: one finding is enough not to be clean', (what) => {
  expect(isClean({ ...judge(flawless()), [what]: ['review-1 …'] })).toBe(false);
});

describe('lost', () => {
  it.each(['review', 'win-back'] as const)('a %s that never went out', (kind) => {
    const evidence = flawless();
    evidence.acceptances = evidence.acceptances.filter((one) => jobId(one.kind, one.row) !== jobId(kind, 4));
    expect(judge(evidence).lost).toEqual([`${kind}-4 never went out.`]);
  });

  it('a mail of one of two rows that read alike (J4)', () => {
    const evidence = flawless();
    evidence.acceptances = evidence.acceptances.filter(({ kind, row }) => kind !== 'review' || row !== 3);
    expect(judge(evidence).lost).toEqual(['review-3 never went out.']);
  });

  it('a win-back that nobody was told was replaced', () => {
    const evidence = answering(answer('win-back', 4)); // said: scheduled, nothing replaced
    expect(judge(evidence).lost).toEqual(['win-back-1 never went out.']);
  });

  it('a call that was never answered', () => {
    const evidence = flawless();
    evidence.answers = evidence.answers.filter(({ kind, row }) => kind !== 'review' || row !== 2);
    expect(judge(evidence).lost).toEqual(['review-2: the shop never got an answer.']);
  });
});

describe('early', () => {
  it('a millisecond before the call plus the delay', () => {
    const evidence = flawless();
    const due = START + DAYS.review * DAY_MS;
    evidence.acceptances[0] = accepted('review', 1, { at: due - 1 });
    expect(judge(evidence).early).toEqual(['review-1 went out 1 ms early.']);
    evidence.acceptances[0] = accepted('review', 1, { at: due });
    expect(judge(evidence).early).toEqual([]);
  });
});

describe('twice', () => {
  const first = accepted('review', 1);
  const repeat = accepted('review', 1, { worker: 'worker-2.1', attempt: 2, at: first.at + 50, absorbed: true });

  function repeated(more: Partial<Evidence> = {}, again = repeat): ReturnType<typeof judge> {
    const evidence = flawless();
    return judge({ ...evidence, acceptances: [...evidence.acceptances, again], ...more });
  }

  it('a second mail under another idempotency key, crash or not', () => {
    const verdict = repeated(
      { kills: [{ worker: first.worker, at: first.at }] },
      { ...repeat, idempotencyKey: 'other', absorbed: false },
    );
    expect(verdict.twice).toEqual(['review-1 went out again, for worker-2.1.']);
  });

  it('an absorbed repeat without a reason', () => {
    expect(repeated().twice).toHaveLength(1);
    expect(repeated().absorbedRepeats).toBe(0);
  });

  it('a repeat is excused if its worker was killed within a second of the first, and no later (J3)', () => {
    const killedAfter = (ms: number): ReturnType<typeof judge> =>
      repeated({ kills: [{ worker: first.worker, at: first.at + ms }] });
    expect(killedAfter(1_000)).toMatchObject({ twice: [], absorbedRepeats: 1, attempts: 7 });
    expect(killedAfter(-3)).toMatchObject({ twice: [], absorbedRepeats: 1 }); // it was on its way
    expect(killedAfter(1_001).twice).toHaveLength(1);
  });

  it('the death of another worker excuses nothing', () => {
    expect(repeated({ kills: [{ worker: repeat.worker, at: first.at + 1 }] }).twice).toHaveLength(1);
  });

  it('a lost lease excuses the repeat of its own job alone', () => {
    expect(repeated({ lostLeases: [{ worker: first.worker, jobId: 'review-1' }] })).toMatchObject({
      twice: [],
      absorbedRepeats: 1,
    });
    expect(repeated({ lostLeases: [{ worker: first.worker, jobId: 'review-2' }] }).twice).toHaveLength(1);
    expect(repeated({ lostLeases: [{ worker: repeat.worker, jobId: 'review-1' }] }).twice).toHaveLength(1);
  });
});

describe('a replaced win-back', () => {
  const sentAll = (changed: Answer): ReturnType<typeof flawless> => {
    const evidence = answering(changed);
    evidence.acceptances.push(accepted('win-back', 1));
    return evidence;
  };
  const told = (outcome: string, attempts: number): Answer =>
    answer('win-back', 4, { outcome, replaced: { id: 'win-back-1', attempts } });

  it('that goes out all the same contradicts the answer', () => {
    expect(judge(sentAll(told('replaced', 0))).contradictions).toEqual([
      'win-back-1 went out, though the shop was told that win-back-4 replaced it unbegun.',
    ]);
  });

  it.each([
    ['running', 0],
    ['running', 1],
    ['replaced', 1],
  ] as const)('that was answered %s with %i attempts may go out once, or not at all (J2)', (outcome, attempts) => {
    const once = judge(sentAll(told(outcome, attempts)));
    expect(isClean(once)).toBe(true);
    expect(once).toMatchObject({ winBacks: 3, replaced: 1 });

    const never = judge(answering(told(outcome, attempts)));
    expect(isClean(never)).toBe(true);
    expect(never).toMatchObject({ winBacks: 2, replaced: 2 });

    const evidence = sentAll(told(outcome, attempts));
    evidence.acceptances.push(accepted('win-back', 1, { idempotencyKey: 'other' }));
    expect(judge(evidence).twice).toEqual(['win-back-1 went out again, for worker-1.1.']);
  });
});

describe('a contradiction', () => {
  it.each([
    ['a review that replaces', answer('review', 1, { outcome: 'replaced' })],
    ['an answer about another job', answer('win-back', 1, { id: 'win-back-9' })],
    ['an outcome that was not asked for', answer('win-back', 4, { outcome: 'kept', id: 'win-back-4' })],
    ['a replacement where nothing stood', answer('win-back', 1, { outcome: 'running' })],
  ])('%s', (_what, changed) => {
    expect(judge(answering(changed)).contradictions).toHaveLength(1);
  });

  it("a replacement of another customer's win-back", () => {
    const verdict = judge(
      answering(answer('win-back', 4, { outcome: 'replaced', replaced: { id: 'win-back-3', attempts: 0 } })),
    );
    expect(verdict.contradictions).toEqual(['win-back-4 was answered with replaced win-back-3, not win-back-1.']);
    expect(verdict.lost).toEqual(['win-back-1 never went out.']);
  });

  it('a win-back that goes out after the answer that nothing stood in the way', () => {
    const evidence = answering(answer('win-back', 4));
    evidence.acceptances.push(accepted('win-back', 1));
    expect(judge(evidence).contradictions).toEqual([
      'win-back-1 went out after the shop had been told that win-back-4 replaces nothing.',
    ]);
  });

  it('a mail for a purchase that nobody made', () => {
    const evidence = flawless();
    evidence.acceptances.push(accepted('review', 1, { row: 99 }));
    expect(judge(evidence).contradictions).toEqual(['review-99 went out, and there is no such purchase.']);
  });
});
