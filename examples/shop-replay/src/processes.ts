// Processes: starts the processes of a replay, hears what they tell, and makes sure that none is left behind.

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** A process ended that had been asked neither to stop nor to die; what it said stands on the error output. */
export class ProcessEnded extends Error {
  override readonly name = 'ProcessEnded';
}

/** A process that is running, or was. */
export class Process<News> {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #listeners = new Set<(news: News) => void>();
  #expected = false;

  constructor(name: string, child: ChildProcess, onFailure: (error: Error) => void) {
    this.name = name;
    this.#child = child;
    this.#ended = new Promise((resolve) => child.once('exit', () => resolve()));
    child.on('message', (news) => this.#listeners.forEach((listener) => listener(news as News)));
    child.once('error', onFailure);
    child.once('exit', (code, signal) => {
      if (!this.#expected) onFailure(new ProcessEnded(`The ${name} ended by itself, with ${String(signal ?? code)}.`));
    });
  }

  /** Hears everything that the process tells from now on. */
  onNews(listener: (news: News) => void): void {
    this.#listeners.add(listener);
  }

  /** The next news that satisfies `wanted`. */
  news(wanted: (news: News) => boolean = () => true): Promise<News> {
    return new Promise((resolve) => {
      const listener = (news: News): void => {
        if (!wanted(news)) return;
        this.#listeners.delete(listener);
        resolve(news);
      };
      this.#listeners.add(listener);
    });
  }

  /** Tells the process something. */
  tell(order: object | string): void {
    this.#child.send(order);
  }

  /** Ends the process with SIGKILL, at once; resolves when it is gone. */
  kill(): Promise<void> {
    this.#expected = true;
    this.#child.kill('SIGKILL');
    return this.#ended;
  }

  /** Asks the process to finish; resolves when it has. */
  stop(): Promise<void> {
    this.#expected = true;
    this.tell('stop');
    return this.#ended;
  }
}

/** The processes of one replay. */
export class Processes {
  /** Rejects when a process ends that was not asked to. */
  readonly failure: Promise<never>;
  readonly #started = new Set<Process<never>>();
  #fail: (error: Error) => void = () => {};

  constructor() {
    this.failure = new Promise<never>((_, reject) => (this.#fail = reject));
    this.failure.catch(() => {}); // whoever waits for it hears of it
  }

  /** Starts a process of this folder and waits for its first news, which says that it is ready. */
  async start<News>(name: string, script: string, setting: object): Promise<[Process<News>, News]> {
    const path = fileURLToPath(new URL(script, import.meta.url));
    const child = fork(path, [JSON.stringify(setting)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const process = new Process<News>(name, child, this.#fail);
    this.#started.add(process as unknown as Process<never>);
    return [process, await process.news()];
  }

  /** Kills whatever is still there; harmless for what is gone. */
  killAll(): void {
    for (const process of this.#started) void process.kill();
  }
}
