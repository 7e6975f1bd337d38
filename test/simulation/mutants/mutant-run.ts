// Mutant run: one mutant's process, from its start to its verdict.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { MutantNews, MutantSetting, Ran } from './mutant-process.js';

/** What became of a mutant, or of the engine as it is. */
export interface Mutated {
  /** `passed`: no run failed. `unloadable`: it is stale, or no program. `hang`: a run never ended. Else what was broken. */
  readonly end: NonNullable<Ran['failure']>['breaks'] | 'hang' | 'passed' | 'unloadable';
  /** How many runs it took. */
  readonly runs: number;
  /** Every run that failed; of a mutant at most one. */
  readonly failed: readonly Ran[];
  readonly text: string;
  readonly seconds: number;
}

/** A run takes seconds, on a busy machine minutes; one that says nothing for so long does not end, in milliseconds. */
const HANG_MS = 600_000;
const KEPT_OUTPUT = 4_000;

/** Runs a mutant, or the engine as it is, in a process of its own. */
export async function runMutant(setting: MutantSetting): Promise<Mutated> {
  const startedAt = performance.now();
  const child = fork(join(import.meta.dirname, 'mutant-process.js'), [JSON.stringify(setting)], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let output = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-KEPT_OUTPUT);
  });

  let loaded = false;
  let hangs = false;
  let runs = 0;
  const failed: Ran[] = [];
  const kill = (): void => {
    hangs = true;
    child.kill('SIGKILL');
  };
  let silence = setTimeout(kill, HANG_MS);
  child.on('message', (news: MutantNews) => {
    clearTimeout(silence);
    silence = setTimeout(kill, HANG_MS);
    loaded = true;
    if (news.is !== 'ran') return;
    runs += 1;
    if (news.failure !== undefined) failed.push(news);
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  clearTimeout(silence);

  const ended = (end: Mutated['end'], text: string): Mutated => {
    return { end, runs, failed, text, seconds: (performance.now() - startedAt) / 1000 };
  };
  const failure = failed[0]?.failure;
  if (!loaded) return ended('unloadable', output.trim());
  if (failure !== undefined) return ended(failure.breaks, failure.text);
  if (hangs) return ended('hang', `a run did not end within ${HANG_MS / 1000} s`);
  if (code !== 0) return ended('error', `its process ended with ${signal ?? code}: ${output.trim()}`);
  return ended('passed', '');
}
