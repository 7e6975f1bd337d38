// Script: what a job's handler does, attempt by attempt, as data in the job's payload.
//
// C1  A handler decides nothing: the attempt's number picks the act, the last act repeats. So whoever runs a job, and however
//     often, the same thing happens.
// C2  Every job comes to an end: the last act of a drawn script is no ruling, and who waits for a signal gives up some time.

import { type Attempt, giveUp, type Handler, retryAfter, type Ruling, snooze } from '@carillon/core';
import type { Machine } from '../fleet/host.js';
import type { Dice } from './dice.js';

const LONGEST_WAIT_MS = 5 * 60_000;

/** What one attempt does, `afterMs` after its start. */
export type Act =
  | { readonly do: 'return'; readonly afterMs: number; readonly progress?: number; readonly bytes?: number }
  /** `fatal` errors are told apart by `retry.on`; `bare` ones are no errors at all. */
  | { readonly do: 'throw'; readonly afterMs: number; readonly what: 'error' | 'fatal' | 'bare' }
  /** Waits for its signal (C2); then it returns, throws, or goes on for `forMs` as if nothing had been said. */
  | { readonly do: 'hang'; readonly then: 'return' | 'throw' | 'go on'; readonly forMs: number }
  | {
      readonly do: 'snooze' | 'retry after' | 'give up';
      readonly afterMs: number;
      readonly forMs: number;
      readonly by: 'return' | 'throw';
    };

/** A job's payload. */
export interface Script {
  readonly order: number;
  readonly acts: readonly Act[];
  /** What the task's `unless` answers; `throws` if it fails. */
  readonly moot?: true | 'throws';
}

/** Follows the script in the payload. */
export function scripted({ sleep }: Pick<Machine, 'sleep'>): Handler<Script, unknown>['handle'] {
  return async ({ order, acts }, attempt) => {
    const act = acts[Math.min(attempt.number, acts.length) - 1] ?? { do: 'return', afterMs: 0 };
    if (act.do === 'hang') return hang(act, attempt, sleep);
    if (act.do === 'return' && act.progress !== undefined) await attempt.progress({ reached: act.progress });
    if (act.afterMs > 0) await sleep(act.afterMs);
    if (act.do === 'return') return { order, ...(act.bytes !== undefined && { text: 'x'.repeat(act.bytes) }) };
    if (act.do === 'throw') throw thrown(act.what);
    const ruling = rulingOf(act.do, act.forMs);
    if (act.by === 'throw') throw ruling;
    return ruling;
  };
}

/** What a task's `unless` answers. */
export function isMoot({ moot }: Script): boolean {
  if (moot === 'throws') throw new Error('nobody can tell whether it has a point');
  return moot === true;
}

/** Draws the acts of a job, mostly plain ones. */
export function drawActs(dice: Dice): readonly Act[] {
  const acts: Act[] = [];
  while (acts.length < 5 && dice.chance(acts.length === 0 ? 0.35 : 0.5)) acts.push(drawTrouble(dice));
  const failing = dice.chance(0.03);
  return [...acts, failing ? { do: 'throw', afterMs: 50, what: 'error' } : drawEnd(dice)]; // C2
}

function drawEnd(dice: Dice): Act {
  const afterMs = dice.weighted<number>([
    [5, dice.between(0, 800)],
    [3, dice.between(1_000, 10_000)],
    [3, dice.spread(35_000, 240_000)], // longer than a lease
  ]);
  return {
    do: 'return',
    afterMs,
    ...(dice.chance(0.15) && { progress: dice.between(1, 99) }),
    ...(dice.chance(0.02) && { bytes: 20_000 }), // more than is kept
  };
}

function drawTrouble(dice: Dice): Act {
  const afterMs = dice.between(0, 2_000);
  const kind = dice.weighted<'throw' | 'hang' | 'snooze' | 'retry after' | 'give up'>([
    [8, 'throw'],
    [3, 'hang'],
    [3, 'snooze'],
    [2, 'retry after'],
    [1, 'give up'],
  ]);
  if (kind === 'throw') {
    const what = dice.weighted<'error' | 'fatal' | 'bare'>([
      [6, 'error'],
      [1, 'fatal'],
      [1, 'bare'],
    ]);
    return { do: 'throw', afterMs, what };
  }
  if (kind === 'hang')
    return { do: 'hang', then: dice.pick(['return', 'throw', 'go on']), forMs: dice.spread(1_500, 90_000) };
  return { do: kind, afterMs, forMs: dice.spread(1_000, 600_000), by: dice.pick(['return', 'throw']) };
}

async function hang(act: Act & { do: 'hang' }, { signal }: Attempt, sleep: Machine['sleep']): Promise<unknown> {
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve());
    void sleep(LONGEST_WAIT_MS).then(resolve); // C2: its time-out may be another job's, whose payload was exchanged
  });
  if (!signal.aborted) return 'nobody said a word';
  if (act.then === 'throw') throw signal.reason;
  if (act.then === 'go on') await sleep(act.forMs);
  return 'told to stop';
}

function rulingOf(kind: 'snooze' | 'retry after' | 'give up', forMs: number): Ruling {
  if (kind === 'give up') return giveUp('its script says so');
  return kind === 'snooze' ? snooze({ milliseconds: forMs }) : retryAfter({ milliseconds: forMs });
}

function thrown(what: 'error' | 'fatal' | 'bare'): unknown {
  if (what === 'bare') return 'no error at all';
  return Object.assign(new Error(`its script says so: ${what}`), { code: what === 'fatal' ? 'FATAL' : 'SCRIPT' });
}
