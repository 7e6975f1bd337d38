// ServerProcess: one program that can be killed, paused and started again on the same files.
//
// S1  It ends with this process: by `stop`, by the exit handler, and on Linux by the kernel if this process is killed;
//     unless it `outlives` this process and was let go.
// S2  `start` and `restart` resolve when it answers a real query, never before.
// S3  What it says goes to its log, and its last words into the error if it does not get ready.

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Home } from './home.js';

const HEALTHY_WITHIN_MS = 120_000;
const STOPPED_WITHIN_MS = 10_000;
const LAST_WORDS = 4_000;
const SETPRIV = '/usr/bin/setpriv';

const running = new Set<ServerProcess>();
process.once('exit', () => {
  for (const server of running) server.end();
});

/** Lets every server that `outlives` this process go on without it, from now on. */
export function letGo(): void {
  for (const server of running) if (server.outlives) running.delete(server);
}

/** A user to run a program as; root must not run PostgreSQL. */
export interface User {
  readonly uid: number;
  readonly gid: number;
}

/** What every started server can do. */
export interface Server {
  readonly pid: number;
  /** Where its files and its `log` are. */
  readonly folder: string;
  /** Sends SIGKILL and resolves when it is gone; its files stay. */
  kill(): Promise<void>;
  /** Starts it again on the same files and ports, in good order if it still runs, and resolves when it answers. */
  restart(): Promise<void>;
  /** Stops it from doing anything (SIGSTOP): connections stay open and are not served. */
  pause(): void;
  /** Lets it go on (SIGCONT). */
  resume(): void;
  /** Ends it for good and removes its files, if their folder was not given. */
  stop(): Promise<void>;
}

/** How every server can be started. */
export interface StartOptions {
  /** Where its files go; by default a temporary folder that is gone after `stop`. */
  readonly folder?: string | undefined;
  /** Whether to install a missing program from the system's packages; needs root. */
  readonly install?: boolean | undefined;
  /** Called with a line for people before what takes long. */
  readonly progress?: ((line: string) => void) | undefined;
  /** Whether it goes on when this process ends. */
  readonly outlives?: boolean | undefined;
}

/** A program, how to see that it works, and how to end it. */
export interface Command {
  /** What messages call it. */
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  /** A real query; it throws while the server is not ready. */
  readonly probe: () => Promise<unknown>;
  readonly home: Home;
  /** Ends it in good order. Default SIGTERM. */
  readonly stopSignal?: NodeJS.Signals;
  /** Ends it at once, with nothing left behind in the system. Default SIGKILL. */
  readonly endSignal?: NodeJS.Signals;
  readonly env?: Readonly<Record<string, string>>;
  readonly user?: User | undefined;
  readonly outlives?: boolean | undefined;
}

/** A program that was started here. */
export class ServerProcess implements Server {
  readonly folder: string;
  readonly #command: Command;
  readonly #log: string;
  #child: ChildProcess;

  private constructor(command: Command) {
    this.#command = command;
    this.folder = command.home.folder;
    this.#log = join(this.folder, 'log');
    this.#child = this.#spawn();
  }

  /** Starts it and resolves when it answers; what does not get ready is ended, and its files are removed (S2). */
  static async start(command: Command): Promise<ServerProcess> {
    const server = new ServerProcess(command);
    try {
      await server.#healthy();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  get outlives(): boolean {
    return this.#command.outlives ?? false;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  async kill(): Promise<void> {
    await this.#signalled('SIGKILL');
  }

  async restart(): Promise<void> {
    await this.#halt();
    this.#child = this.#spawn();
    await this.#healthy();
  }

  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    await this.#halt();
    this.#command.home.remove();
  }

  /** Ends it at once, without waiting. */
  end(): void {
    this.#child.kill(this.#command.endSignal ?? 'SIGKILL');
  }

  get #ended(): boolean {
    return this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Ends it in good order, at once if that takes too long, and resolves when it is gone. */
  async #halt(): Promise<void> {
    if (this.#ended) return;
    this.resume();
    const patience = setTimeout(() => this.end(), STOPPED_WITHIN_MS);
    await this.#signalled(this.#command.stopSignal ?? 'SIGTERM');
    clearTimeout(patience);
  }

  #spawn(): ChildProcess {
    const { program, args, user, env, outlives } = this.#command;
    const log = openSync(this.#log, 'a');
    const tied = !outlives && process.platform === 'linux' && existsSync(SETPRIV);
    const endSignal = (this.#command.endSignal ?? 'SIGKILL').replace('SIG', '');
    const asUser = user && tied ? [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'] : [];
    const common = {
      cwd: this.folder,
      env: { ...process.env, ...env },
      stdio: ['ignore', log, log] as const,
      detached: outlives ?? false,
    };
    const child = tied
      ? spawn(SETPRIV, [...asUser, '--pdeathsig', endSignal, program, ...args], common as object)
      : spawn(program, args, { ...common, ...user } as object);
    closeSync(log);
    child.on('error', () => {}); // it never answers, and `#healthy` says so
    if (outlives) child.unref();
    running.add(this);
    child.once('exit', () => this.#child === child && running.delete(this));
    return child;
  }

  async #signalled(signal: NodeJS.Signals): Promise<void> {
    if (this.#ended) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill(signal);
    await gone;
  }

  async #healthy(): Promise<void> {
    const { name, program, probe } = this.#command;
    const deadline = performance.now() + HEALTHY_WITHIN_MS;
    for (;;) {
      try {
        await probe();
        if (!this.#ended) return; // else somebody else answered
        throw new Error('it ended');
      } catch (error) {
        if (this.#child.pid === undefined)
          throw new Error(`${name}: ${program} could not be started.`, { cause: error });
        if (this.#ended || performance.now() > deadline) {
          this.end();
          const lastWords = readFileSync(this.#log, 'utf8').slice(-LAST_WORDS);
          throw new Error(`${name} did not get ready. Its log ends with:\n${lastWords}`, { cause: error });
        }
        await sleep(50);
      }
    }
  }
}
