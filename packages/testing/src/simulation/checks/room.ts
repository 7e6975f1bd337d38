// Room: whether a job could start somewhere: which processes live, how many jobs each of them holds, how many it may.
//
// R1  A process has room for a task that it runs while it holds fewer jobs of it than it may, and fewer in all. What it holds
//     is what is leased to it: a slot is taken and given back with the lease.
// R2  Of a task that no process runs it is not said that there is no room: what does not start therefore is no backlog.
// R3  Room that is taken again within `TURN_MS` was none: as long may one job need to follow another.

import type { Instant, LedgerRecord } from '@carillon/core/spi';
import type { Observation, Slots } from '../observation.js';

interface Holder {
  readonly slots: Slots | undefined; // undefined if nothing is limited
  readonly tasks: Map<string, number>;
  all: number;
}

/** What a task has been since when. */
interface Phase {
  readonly full: boolean;
  readonly since: Instant;
}

const TURN_MS = 60_000;
const REMEMBERED_MS = 2 * 3_600_000;

/** Where jobs could start, all through a run. */
export class Room {
  readonly #holders = new Map<string, Holder>();
  readonly #boots = new Map<string, number>();
  readonly #phases = new Map<string, Phase>(); // by task
  readonly #roomy = new Map<string, { readonly from: Instant; readonly to: Instant }[]>();

  /** Takes an observation in. */
  watch(observation: Observation): void {
    if (observation.what === 'host') return this.#moved(observation);
    if (observation.what !== 'record' && observation.what !== 'forgotten') return;
    const { before, after, key, at } = observation;
    if (key.kind !== 'job') return;
    const task = (after ?? before)?.task;
    if (task === undefined) return; // forgotten, and it was not there before
    if (!this.#phases.has(task)) this.#look(task, at);
    const [was, is] = [holderOf(before), holderOf(after)];
    if (was === is) return;
    this.#count(was, task, -1, at);
    this.#count(is, task, 1, at);
  }

  /** Whether a process is there. */
  isAlive(name: string): boolean {
    return this.#holders.has(name);
  }

  /** When there was no room for a task last; undefined if there has always been. */
  lastFullAt(task: string, at: Instant): Instant | undefined {
    const phase = this.#phases.get(task);
    if (phase?.full === true) return at;
    return phase?.since === -Infinity ? undefined : phase?.since;
  }

  /** How long there has been room for a task since an instant, turns left out (R3). */
  roomyMs(task: string, since: Instant, at: Instant): number {
    const phase = this.#phases.get(task) ?? { full: false, since };
    const now = phase.full ? [] : [{ from: phase.since, to: at }];
    return [...(this.#roomy.get(task) ?? []), ...now].reduce(
      (sum, { from, to }) => sum + Math.max(0, to - Math.max(from, since) - TURN_MS),
      0,
    );
  }

  #moved({ at, host = '', change, slots }: Observation & { what: 'host' }): void {
    if (change === 'started') this.#boots.set(host, (this.#boots.get(host) ?? 0) + 1);
    const name = `${host}.${this.#boots.get(host) ?? 0}`;
    if (change === 'started') this.#holders.set(name, { slots, tasks: new Map(), all: 0 });
    else if (change === 'crashed' || change === 'stopped') this.#holders.delete(name);
    else return;
    for (const task of this.#phases.keys()) this.#look(task, at);
  }

  #count(name: string | undefined, task: string, change: 1 | -1, at: Instant): void {
    const holder = name === undefined ? undefined : this.#holders.get(name);
    if (holder === undefined) return;
    const held = (holder.tasks.get(task) ?? 0) + change;
    holder.tasks.set(task, held);
    holder.all += change;
    const most = change === 1 ? 0 : 1; // what it was before, if that was more
    if (holder.all + most === holder.slots?.all) for (const known of this.#phases.keys()) this.#look(known, at);
    else if (held + most === holder.slots?.tasks.get(task)) this.#look(task, at);
  }

  /** Sees whether there is room for a task (R1, R2). */
  #look(task: string, at: Instant): void {
    let runs = 0;
    let rooms = 0;
    for (const { slots, tasks, all } of this.#holders.values()) {
      const most = slots === undefined ? Infinity : slots.tasks.get(task);
      if (most === undefined) continue;
      runs += 1;
      if ((tasks.get(task) ?? 0) < most && all < (slots?.all ?? Infinity)) rooms += 1;
    }
    const full = runs > 0 && rooms === 0; // R2
    const before = this.#phases.get(task);
    if (before?.full === full) return;
    this.#phases.set(task, { full, since: before === undefined && !full ? -Infinity : at });
    if (before === undefined || !full || at - before.since <= TURN_MS) return;
    const roomy = this.#roomy.get(task) ?? [];
    roomy.push({ from: before.since, to: at });
    while (roomy[0]!.to < at - REMEMBERED_MS) roomy.shift();
    this.#roomy.set(task, roomy);
  }
}

function holderOf(record: LedgerRecord | undefined): string | undefined {
  return record?.lease?.holder;
}
