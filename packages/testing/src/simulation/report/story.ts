// Story: of everything that a run shows, what concerns one violation: the job, its key, the hosts that had a hand in it and
// the faults that touched it.
//
// S1  What is remembered is what may concern it; a run without a story remembers nothing.
// S2  A long story keeps its beginning and its end.

import type { Instant, RecordKey } from '@carillon/core/spi';
import type { Observation, Observer } from '../observation.js';
import type { Failure } from '../suite.js';
import { inWords, type Line, textOf, timeOf } from './plain-words.js';

const NEAR_HOST_MS = 60_000; // a crash or a pause this long before or after counts
const NEAR_FAULT_MS = 20_000; // as long as a slow request takes
const NEAR_OUTAGE_MS = 10 * 60_000; // as long as a server is down
const FIRST_LINES = 60;
const LAST_LINES = 200;
const MOST_REMEMBERED = 200_000;

/** The story of one violation. */
export class Story {
  readonly #about: string;
  /** The jobs, messages and pointers that it is about. */
  readonly #names: Set<string>;
  readonly #keys = new Set<string>();
  #seen: Observation[] = [];

  /** `about` is what the violation names: a job, a record, a host. */
  constructor(about: string) {
    this.#about = about;
    this.#names = new Set([about, ...about.split(/[\s,:]+/), ...about.split('/')]);
  }

  /** Takes an observation in. */
  readonly watch: Observer = (observation) => {
    if (!this.#mayConcern(observation)) return;
    this.#seen.push(observation);
    if (this.#seen.length > MOST_REMEMBERED) this.#seen = this.#seen.slice(-MOST_REMEMBERED / 2);
  };

  /** The story in plain words, with the failure at its end. */
  told(failure: Failure): readonly string[] {
    const own = this.#seen.filter((seen) => this.#concerns(seen));
    const hosts = new Set(own.flatMap(({ host }) => (host === undefined ? [] : [host])));
    const times = own.map(({ at }) => at);
    const pausedAt = new Map<string, Instant>();
    const told: string[] = [];
    let highestFence = 0;
    for (const seen of this.#seen) {
      let line = inWords(seen);
      if (seen.what === 'host' && seen.change === 'paused') pausedAt.set(seen.host!, seen.at);
      if (seen.what === 'host' && seen.change === 'resumed') line = after(line, seen.at - pausedAt.get(seen.host!)!);
      if (line === undefined || !(this.#concerns(seen) || isNear(seen, hosts, times))) continue;
      if (seen.what === 'record') highestFence = Math.max(highestFence, seen.after?.fence ?? 0);
      const zombie = seen.what === 'attempt' && seen.attempt.fence < highestFence;
      told.push(zombie ? `${textOf(line)}  ← overtaken: a later fence has been granted` : textOf(line));
    }
    const left = told.length - FIRST_LINES - LAST_LINES;
    if (left > 0) told.splice(FIRST_LINES, left, `… ${left.toLocaleString('en')} lines left out …`); // S2
    return [...told, `${timeOf(failure.at)}  VIOLATION ${failure.breaks}: ${failure.text} (${failure.about})`];
  }

  /** Whether to remember it (S1); learns the key of the job on its way. */
  #mayConcern(observation: Observation): boolean {
    switch (observation.what) {
      case 'record':
        this.#learn(observation.key, observation.after?.body);
        return this.#concerns(observation);
      case 'call':
      case 'answer':
      case 'host':
      case 'healed':
        return true;
      case 'fault':
        return !observation.about.includes('#') || this.#concerns(observation);
      case 'message':
      case 'attempt':
      case 'event':
      case 'forgotten':
      case 'request':
        return this.#concerns(observation);
    }
  }

  #concerns(observation: Observation): boolean {
    const names = this.#names;
    switch (observation.what) {
      case 'record':
      case 'forgotten':
        return names.has(observation.key.id);
      case 'message':
        return names.has(jobOf(observation.message.id));
      case 'fault':
        return names.has(jobOf(observation.about));
      case 'attempt':
        return names.has(observation.attempt.jobId);
      case 'event':
        return 'id' in observation.data && names.has(observation.data.id);
      case 'call':
      case 'answer': {
        const { id, key, task } = observation.call;
        return (id !== undefined && names.has(id)) || (key !== undefined && this.#keys.has(`${task}/${key}`));
      }
      case 'request':
        return !observation.served && observation.host === this.#about;
      case 'host':
        return observation.host === this.#about;
      case 'healed':
        return false;
    }
  }

  #learn(key: RecordKey, body: string | undefined): void {
    if (key.kind !== 'key' || body === undefined) return;
    if (!this.#names.has(body) && !this.#names.has(key.id)) return;
    this.#names.add(key.id);
    this.#keys.add(key.id);
  }
}

/** Whether something that is not about the job itself happened where and when it may have mattered to it. */
function isNear(seen: Observation, hosts: ReadonlySet<string>, times: readonly Instant[]): boolean {
  if (seen.what === 'healed') return true;
  if (seen.what === 'host') return hosts.has(seen.host!) && isWithin(NEAR_HOST_MS, seen.at, times);
  if (seen.what !== 'fault' || seen.fault === 'pause' || seen.fault === 'restart') return false; // the host says so itself
  if (seen.host !== undefined) return hosts.has(seen.host) && isWithin(NEAR_FAULT_MS, seen.at, times);
  if (seen.fault === 'partition' && !hosts.has(seen.about)) return false;
  return isWithin(NEAR_OUTAGE_MS, seen.at, times);
}

/** Whether one of these times, which ascend, is at most so far away. */
function isWithin(farMs: number, at: Instant, times: readonly Instant[]): boolean {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (times[middle]! < at - farMs) low = middle + 1;
    else high = middle;
  }
  return low < times.length && times[low]! <= at + farMs;
}

function after(line: Line | undefined, forMs: number): Line | undefined {
  return line === undefined ? undefined : { ...line, more: `after ${(forMs / 1000).toFixed(1)} s` };
}

/** The job or schedule that a message belongs to, by the message's name. */
function jobOf(message: string): string {
  const end = message.lastIndexOf('#');
  const name = end === -1 ? message : message.slice(0, end);
  return name.replace(/^(schedule|bell):/, '');
}
