// Child: a process of these tests, as the test that started it sees it.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { News } from './parent.js';

const compiled = join(import.meta.dirname, '..', 'dist', 'crash');

/** A process that was started. */
export class Child {
  /** How it ended: by a signal or with an exit code; resolves after the last of its news was heard. */
  readonly ended: Promise<NodeJS.Signals | number>;
  /** Everything that it has told. */
  readonly news: News[] = [];
  readonly #process: ChildProcess;
  readonly #errors: Promise<string>;
  readonly #listeners = new Set<() => void>();

  /** Starts a built file of this folder with a setting. */
  constructor(file: 'worker-process.js' | 'producer-process.js', setting: object) {
    const child = fork(join(compiled, file), [JSON.stringify(setting)], {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#process = child;
    this.#errors = text(child.stderr!);
    child.on('message', (news) => {
      this.news.push(news as News);
      for (const listener of this.#listeners) listener();
    });
    this.ended = Promise.all([once(child, 'exit'), once(child, 'disconnect')]).then(
      ([[code, signal]]) => (signal ?? code) as NodeJS.Signals | number,
    );
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Resolves when it has told this, now or earlier; rejects if it ends without. */
  async told<I extends News['is']>(is: I): Promise<Extract<News, { is: I }>> {
    const find = (): News | undefined => this.news.find((news) => news.is === is);
    const heard = await new Promise<News | undefined>((resolve) => {
      const listener = (): void => {
        if (find() === undefined) return;
        this.#listeners.delete(listener);
        resolve(find());
      };
      this.#listeners.add(listener);
      listener();
      void this.ended.then(() => resolve(find()));
    });
    if (heard !== undefined) return heard as Extract<News, { is: I }>;
    throw new Error(`A process ended (${await this.ended}) without telling "${is}". ${await this.#errors}`);
  }

  /** Asks it to stop; rejects unless it does so in good order. */
  async stop(): Promise<void> {
    this.#process.send('stop');
    const end = await this.ended;
    if (end !== 0) throw new Error(`A process that was asked to stop ended with ${end}. ${await this.#errors}`);
  }

  signal(signal: 'SIGKILL' | 'SIGCONT'): void {
    this.#process.kill(signal);
  }

  /** Ends it at once, whatever it is doing; harmless if it has ended. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.ended;
  }
}
