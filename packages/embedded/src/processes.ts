// Processes: which processes hold leases in a store, so that the leases of a dead one end at once.
//
// D1  A process is called dead only if that is certain: it is of this boot and this process namespace, and its id is
//     free or belongs to a process that started at another time; or it is of an earlier boot. Of all others the leases
//     just run out.

import { readFileSync, readlinkSync } from 'node:fs';
import type { Instant } from '@carillon/core/spi';
import { keysIn } from './environment.js';
import type { Table } from './environment.js';
import { LEASED_RECORD } from './keys.js';
import type { Records } from './records.js';

const MOST_ENDED = 500;

/** What tells one process from every other that this machine ever ran. */
interface ProcessIdentity {
  readonly pid: number;
  readonly boot: string;
  readonly namespace: string;
  readonly started: string;
}

/** The processes that a store knows. */
export class Processes {
  readonly #table: Table;
  #own = 0;

  constructor(table: Table) {
    this.#table = table;
  }

  /** This process's number in the store; enters it at the first call. Inside of a transaction. */
  own(): number {
    if (this.#own !== 0 && this.#table.getBinaryFast(numberKey(this.#own))) return this.#own;
    let last = 0;
    for (const key of this.#all()) last = key.readUInt32BE(0);
    this.#own = last + 1;
    this.#table.put(numberKey(this.#own), Buffer.from(JSON.stringify(identify(process.pid))));
    return this.#own;
  }

  /** The transaction in which this process was entered has been undone. */
  forget(): void {
    this.#own = 0;
  }

  /** The numbers of processes that are certainly dead (D1). */
  dead(): readonly number[] {
    const here = identify(process.pid);
    const dead: number[] = [];
    for (const key of this.#all()) {
      const number = key.readUInt32BE(0);
      if (number === this.#own) continue;
      const value = this.#table.getBinary(key);
      if (value && isDead(JSON.parse(value.toString()) as ProcessIdentity, here)) dead.push(number);
    }
    return dead;
  }

  /** Forgets processes that hold nothing any more. Inside of a transaction. */
  remove(numbers: readonly number[]): void {
    for (const number of numbers) this.#table.remove(numberKey(number));
  }

  #all(): readonly Buffer[] {
    return keysIn(this.#table, { start: Buffer.from([0]), end: Buffer.from([255, 255, 255, 255, 255]) });
  }
}

/** Ends leases of dead processes, some at a time; says whether none are left. Inside of a transaction. */
export function endLeases(records: Records, dead: readonly number[], now: Instant): boolean {
  const orphaned = [...records.leases.held()].filter(({ process }) => dead.includes(process));
  for (const { key } of orphaned.slice(0, MOST_ENDED)) {
    const head = records.findAt(key, LEASED_RECORD);
    if (head?.lease === undefined) records.leases.byRecord.remove(key);
    else {
      const { lease } = head;
      head.lease = { ...lease, until: Math.min(lease.until, now) };
      head.process = 0;
      records.hold(head, lease);
    }
  }
  return orphaned.length <= MOST_ENDED;
}

/** Describes a process; `started` is empty where the system does not say. */
function identify(pid: number): ProcessIdentity {
  return {
    pid,
    boot: tryTo(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    namespace: tryTo(() => readlinkSync('/proc/self/ns/pid')),
    started: startedAt(pid),
  };
}

function isDead(other: ProcessIdentity, here: ProcessIdentity): boolean {
  if (other.boot !== here.boot) return other.boot !== '' && here.boot !== '';
  if (other.namespace !== here.namespace) return false;
  if (!isThere(other.pid)) return true;
  return other.started !== '' && startedAt(other.pid) !== other.started;
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !tryTo(() => readFileSync(`/proc/${pid}/stat`, 'utf8')).includes(') Z '); // a zombie holds nothing
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The 22nd field of /proc/<pid>/stat; the 2nd, the name, may contain anything. */
function startedAt(pid: number): string {
  const stat = tryTo(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

/** '' where the system has no such file, or the process is gone. */
function tryTo(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}

function numberKey(number: number): Buffer {
  const key = Buffer.allocUnsafe(4);
  key.writeUInt32BE(number);
  return key;
}
