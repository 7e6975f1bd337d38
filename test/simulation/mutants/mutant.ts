// Mutant: a bug planted in the engine for one process: a textual patch of one built file of @carillon/core.
//
// U1  The text that a patch replaces occurs exactly once, else the mutant is stale: the code has moved on without it.

/** What a mutant should break, by the numbers of the design. */
type Broken = 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7' | 'I8' | 'I9' | 'I10' | 'I11';

/** Workloads that seeds run in turn. */
export type Workloads = readonly [string, ...string[]];

/** The workloads in which bugs of jobs are looked for. */
export const JOB_WORKLOADS: Workloads = ['mixed', 'keys', 'hops'];

/** One planted bug. */
export interface Mutant {
  readonly name: string;
  readonly breaks: Broken;
  /** The built file, below `dist` of the core package. */
  readonly file: string;
  readonly before: string;
  readonly after: string;
  /** What it does wrong, in one sentence. */
  readonly does: string;
  /** The workloads that show it, seed by seed in turn; by default those of jobs. */
  readonly workloads?: Workloads;
}

/** The built file's text with the bug in it; throws if the mutant is stale (U1). */
export function planted({ name, file, before, after }: Mutant, text: string): string {
  const parts = text.split(before);
  if (parts.length === 2) return parts.join(after);
  throw new Error(`The mutant ${name} is stale: its text occurs ${parts.length - 1} times in ${file}, not once.`);
}
