// Crew: worker threads that run seeds, one at a time each.
//
// C1  A run ends, whatever it does to its thread: a thread that dies or does not come back is replaced, and its run fails.

import { Worker } from 'node:worker_threads';
import type { News, Order } from './seed-thread.js';

/** What a thread says when a run has ended. */
export type Ran = News & { readonly is: 'ran' };

interface Waiting {
  readonly order: Order;
  readonly withinMs: number;
  readonly hear: (line: string) => void;
  readonly resolve: (ran: Ran) => void;
  readonly reject: (error: Error) => void;
}

/** One thread, and what it is doing. */
interface Member {
  readonly thread: Worker;
  busyWith: Waiting | undefined;
  timer: NodeJS.Timeout | undefined;
}

const YOUNG_MB = 192; // what a simulated hour leaves behind dies young: this saves a tenth of the time

/** Some threads. */
export class Crew {
  readonly #waiting: Waiting[] = [];
  readonly #members = new Set<Member>();
  readonly #program: URL;

  constructor(size: number, program = new URL('./seed-thread.js', import.meta.url)) {
    this.#program = program;
    for (let index = 0; index < size; index += 1) this.#hire();
  }

  /** Has a run done as soon as a thread is free; rejects if that breaks the thread or takes too long (C1). */
  run(order: Order, withinMs: number, hear: (line: string) => void = () => {}): Promise<Ran> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ order, withinMs, hear, resolve, reject });
      this.#next();
    });
  }

  /** Ends all threads; runs that have not ended never will. */
  async dismiss(): Promise<void> {
    this.#waiting.length = 0;
    const members = [...this.#members];
    this.#members.clear();
    for (const { timer } of members) clearTimeout(timer);
    await Promise.all(members.map(({ thread }) => thread.terminate()));
  }

  #next(): void {
    for (const member of this.#members) {
      if (member.busyWith !== undefined) continue;
      const waiting = this.#waiting.shift();
      if (waiting === undefined) return;
      const late = new Error(`The run had not come to rest after ${waiting.withinMs / 1000} s.`);
      member.busyWith = waiting;
      member.timer = setTimeout(() => this.#replace(member, late), waiting.withinMs);
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      member.thread.postMessage(waiting.order);
    }
  }

  #heard(member: Member, news: News): void {
    const { busyWith } = member;
    if (news.is === 'line') return busyWith?.hear(news.text);
    clearTimeout(member.timer);
    member.busyWith = undefined;
    busyWith?.resolve(news);
    this.#next();
  }

  #replace(member: Member, error: Error): void {
    if (!this.#members.delete(member)) return; // it has been replaced, or nobody works any more
    clearTimeout(member.timer);
    void member.thread.terminate();
    this.#hire();
    member.busyWith?.reject(error);
    this.#next();
  }

  #hire(): void {
    const thread = new Worker(this.#program, { resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB } });
    const member: Member = { thread, busyWith: undefined, timer: undefined };
    thread.on('message', (news: News) => this.#heard(member, news));
    thread.on('error', (error) => this.#replace(member, error instanceof Error ? error : new Error(String(error))));
    thread.on('exit', () => this.#replace(member, new Error('The thread of the run has ended.')));
    this.#members.add(member);
  }
}
