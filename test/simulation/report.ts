// Report: what a suite says, for people or as JSON rows for programs.

import { formatDuration } from '@carillon/core/spi';
import { hoursPerSecondAndCore, type Pace, paceText, seedsPerSecond } from './pace.js';
import {
  faultsText,
  type Outcome,
  reproductionOf,
  rescuesOf,
  type Shrunk,
  type Tally,
  tame,
  type Trial,
} from '@carillon/testing/simulation';

/** What there is to know of a suite beside what it came to. */
interface Suite {
  /** How many seeds were to be run; more than were counted if somebody stopped it. */
  readonly asked: number;
  readonly workload: string;
  /** It was large enough to take every way out of trouble, and did not. */
  readonly tooTame: boolean;
}

/** Where a suite's findings go. */
export interface Report {
  plan(trial: Trial): void;
  line(text: string): void;
  ran(outcome: Outcome): void;
  shrunk(first: Outcome, shrunk: Shrunk, story: readonly string[]): void;
  summary(tally: Tally, pace: Pace, suite: Suite): void;
}

/** Writes for people. */
export function plainReport(print: (line: string) => void): Report {
  return {
    plan({ plan, workload, jobs }) {
      const { seed, hours, engines, shape, precisionMs, horizonMs, faults } = plan;
      const horizon = horizonMs === Infinity ? 'none' : formatDuration(horizonMs);
      const limits =
        shape === 'fused' ? `horizon ${horizon}` : `precision ${formatDuration(precisionMs)}, horizon ${horizon}`;
      const most = jobs === Infinity ? '' : `, at most ${jobs} orders`;
      print(`seed ${seed}: ${workload}${most}, ${hours} h, ${count(engines, 'engine')}, ${shape}, ${limits}`);
      print(`faults: ${faultsText(faults).replaceAll(',', ', ')}`);
    },
    line: print,
    ran({ trial, failure }) {
      if (failure === undefined) return;
      print(`FAILED seed ${trial.plan.seed}  ${failure.breaks}: ${failure.text}${aboutText(failure.about)}`);
      print(`  ${reproductionOf(trial)}`);
    },
    shrunk(first, { smallest, runs }, story) {
      print('');
      print(
        `Seed ${first.trial.plan.seed}, made small in ${count(runs, 'run')}: ${sizeOf(first)} → ${sizeOf(smallest)}`,
      );
      print(`  ${reproductionOf(smallest.trial)}`);
      for (const line of story) print(`  ${line}`);
    },
    summary(tally, pace, { asked, workload, tooTame }) {
      const { seeds, hours, events, exemptions, backlog, failed, rescues } = tally;
      print('');
      if (asked > 1) {
        print('rescues');
        for (const name of rescuesOf(workload)) print(`${figure(rescues[name]).padStart(15)}  ${name}`);
        print('');
      }
      const ran = seeds === asked ? figure(seeds) : `${figure(seeds)} of ${figure(asked)}, then stopped`;
      const how =
        failed.length > 0 ? `${figure(failed.length)} FAILED` : seeds === asked ? 'all passed' : 'none failed';
      print(`seeds             ${ran}, ${how}`);
      print(`simulated hours   ${figure(hours)}`);
      print(`events            ${figure(events)}`);
      print(
        `exempted jobs     ${figure(exemptions)}${exemptions === 0 ? '' : ', of which the ledger had forgotten a write'}`,
      );
      if (backlog > 0) print(`backlog           ${count(backlog, 'job')}, overdue at the end for want of room`);
      print(`pace              ${paceText(pace)}`);
      const missing = tame(rescues, workload);
      if (asked > 1 && missing.length > 0) print(`never happened    ${missing.join(', ')}`);
      if (tooTame) print(`TOO TAME: in a suite of this size each of the rescues must happen`);
    },
  };
}

/** Writes a JSON row per line. */
export function jsonReport(print: (line: string) => void): Report {
  const row = (of: string, data: object): void => print(JSON.stringify({ row: of, ...data }));
  return {
    plan() {},
    line: (text) => row('trace', { text }),
    ran: (outcome) => row('seed', dataOf(outcome)),
    shrunk: (first, { smallest, runs }, story) =>
      row('shrunk', { from: first.trial.plan.seed, runs, ...dataOf(smallest), story }),
    summary({ seeds, hours, events, exemptions, backlog, failed, rescues }, pace, { asked, workload, tooTame }) {
      row('summary', {
        asked,
        seeds,
        failed: failed.map(({ trial }) => trial.plan.seed),
        hours: Math.round(hours),
        events,
        exemptions,
        backlog,
        seedsPerSecond: seedsPerSecond(pace),
        hoursPerSecondAndCore: hoursPerSecondAndCore(pace),
        rescues,
        neverHappened: tame(rescues, workload),
        tooTame,
      });
    },
  };
}

function dataOf({ trial, failure, hash, events }: Outcome): object {
  const reproduction = reproductionOf(trial);
  const at = failure === undefined ? undefined : new Date(failure.at).toISOString();
  return { seed: trial.plan.seed, passed: failure === undefined, hash, events, reproduction, ...failure, at };
}

function sizeOf({ trial: { plan }, placings }: Outcome): string {
  const faults = Object.keys(plan.faults).length;
  return `${count(faults, 'fault')}, ${count(plan.engines, 'engine')}, ${count(placings, 'job')}, ${plan.hours} h`;
}

function aboutText(about: string): string {
  return about === '' ? '' : ` (${about})`;
}

function count(number: number, thing: string): string {
  return `${figure(number)} ${thing}${number === 1 ? '' : 's'}`;
}

function figure(number: number): string {
  return number.toLocaleString('en', { maximumFractionDigits: number < 100 ? 1 : 0 });
}
