// ProcessIdentity: tells a process from a later one with the same number.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A process, for sure. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it began, in the system's own words. */
  readonly began: string;
}

const BEGAN = 19; // of what follows the name in /proc/<pid>/stat: field 22, the start time in ticks
const ZOMBIE = 'Z';

/** The identity of a running process; undefined if there is none of this number. */
export function identityOf(pid: number): ProcessIdentity | undefined {
  const began = process.platform === 'linux' ? beganOnLinux(pid) : beganElsewhere(pid);
  return began === undefined ? undefined : { pid, began };
}

/** Whether this very process still runs. */
export function isRunning({ pid, began }: ProcessIdentity): boolean {
  return identityOf(pid)?.began === began;
}

function beganOnLinux(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // a name may contain anything
    return fields[0] === ZOMBIE ? undefined : fields[BEGAN];
  } catch {
    return undefined;
  }
}

function beganElsewhere(pid: number): string | undefined {
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;
  } catch {
    return undefined;
  }
}
