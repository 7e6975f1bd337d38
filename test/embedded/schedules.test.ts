// Fifty schedules at every second, on three processes, one of which is killed in the middle of it.
//
// Each slot that the rule has ran once, or the schedule says why it did not (the missed-occurrence contract).

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Carillon, defineTask, type JobView, silentLogger } from '@carillon/core';
import { embedded } from '@carillon/embedded';
import { afterEach, beforeEach, expect, test } from 'vitest';

const PROGRAM = join(import.meta.dirname, '..', 'dist', 'embedded', 'schedule-process.js');
const beat = defineTask<undefined>('beat');
const SECONDS = 8;
const SCHEDULES = 50;

let folder = '';
let children: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'carillon-schedules-'));
});

afterEach(async () => {
  await Promise.all(children.map((child) => end(child, 'SIGKILL')));
  children = [];
  rmSync(folder, { recursive: true, force: true });
});

async function end(child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'close');
  child.kill(signal);
  await ended;
}

/** What all processes together have said. */
class Lines {
  readonly all: { readonly text: string; readonly child: ChildProcess }[] = [];
  #waiting: (() => void)[] = [];

  of(child: ChildProcess): void {
    createInterface({ input: child.stdout! }).on('line', (text) => {
      this.all.push({ text, child });
      for (const look of this.#waiting.splice(0)) look();
    });
  }

  /** Resolves when so many lines begin like this, with who said the last of them. */
  async said(start: string, count: number): Promise<ChildProcess> {
    for (;;) {
      const found = this.all.filter(({ text }) => text.startsWith(start))[count - 1];
      if (found !== undefined) return found.child;
      await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    }
  }
}

test('no slot is doubled or forgotten when a process is killed', async () => {
  const startMs = (Math.ceil(Date.now() / 1000) + 4) * 1000;
  const times = [startMs, startMs + (SECONDS - 1) * 1000].map((ms) => new Date(ms).toISOString());
  const lines = new Lines();
  for (let count = 0; count < 3; count += 1) {
    const child = spawn(process.execPath, [PROGRAM, folder, ...times], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    lines.of(child);
  }
  await lines.said('ready', 3);
  const victim = await lines.said('started', SCHEDULES * 2 + 10); // in the third second, in the middle of a handler
  await end(victim, 'SIGKILL');
  await lines.said('ended', SCHEDULES);

  await using judge = new Carillon({ backend: embedded(folder), logger: silentLogger });
  for await (const { recent } of judge.schedules.all()) {
    for (const entry of recent) if (entry.outcome === 'started') await judge.result(beat, { id: entry.id });
  }
  await Promise.all(children.map((child) => end(child, 'SIGTERM')));

  const jobs = new Map<string, JobView>();
  for await (const job of judge.jobs()) jobs.set(job.id, job);
  const wrong: string[] = [];
  for await (const { id, state, recent, counts } of judge.schedules.all()) {
    if (state !== 'ended') wrong.push(`${id} is ${state}`);
    const missed = recent.filter((entry) => entry.outcome === 'missed');
    for (let second = 0; second < SECONDS; second += 1) {
      const slotMs = startMs + second * 1000;
      const ran = recent.filter((entry) => entry.outcome === 'started' && entry.slot.getTime() === slotMs);
      const why = missed.filter(({ slot, to }) => slot.getTime() <= slotMs && to.getTime() >= slotMs);
      const placed = `${id}@${new Date(slotMs).toISOString()}`;
      if (ran.length + why.length !== 1) wrong.push(`${placed}: ${ran.length} times, ${why.length} reasons why not`);
      if (ran.some((entry) => entry.outcome === 'started' && jobs.get(entry.id)?.state !== 'done')) {
        wrong.push(`${placed} is not done`);
      }
    }
    if (counts.started + missed.reduce((sum, { count }) => sum + count, 0) !== SECONDS)
      wrong.push(`${id} counts badly`);
  }
  for (const { id, attempts, interruptions } of jobs.values()) {
    const starts = lines.all.filter(({ text }) => text === `started ${id}`).length;
    const completions = attempts.filter(({ outcome }) => outcome === 'done').length;
    if (completions !== 1 || starts > 1 + interruptions) wrong.push(`${id}: ${completions} done, ${starts} starts`);
  }
  expect(wrong).toEqual([]);
  expect([...jobs.values()].some(({ interruptions }) => interruptions > 0)).toBe(true); // the kill did meet work
});
