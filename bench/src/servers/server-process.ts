// One child process that must not outlive the benchmark.
//
// S1  It ends with this process: by `stop`, by the exit handler, and on Linux by the kernel if this process is killed.

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const HEALTHY_WITHIN_MS = 20_000;
const STOPPED_WITHIN_MS = 10_000;
const SETPRIV = '/usr/bin/setpriv';

const running = new Set<ServerProcess>();
process.once('exit', () => {
  for (const server of running) server.end();
});

/** A free TCP port of the loopback interface. */
export async function freePort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  listener.close();
  await once(listener, 'close');
  return port;
}

/** A user to run a program as; root must not run PostgreSQL. */
export interface User {
  readonly uid: number;
  readonly gid: number;
}

/** How a server is started and ended. */
export interface ServerOptions {
  /** Ends it in good order. */
  readonly stopSignal: NodeJS.Signals;
  /** Ends it at once, with nothing left behind in the system. */
  readonly endSignal: NodeJS.Signals;
  readonly user?: User | undefined;
}

/** A server that was started here. */
export class ServerProcess {
  readonly #name: string;
  readonly #options: ServerOptions;
  readonly #child: ChildProcess;
  #output = '';

  constructor(program: string, args: readonly string[], options: ServerOptions) {
    this.#name = program;
    this.#options = options;
    const { user } = options;
    const tied = process.platform === 'linux' && existsSync(SETPRIV);
    const endSignal = options.endSignal.replace('SIG', '');
    const asUser = user && tied ? [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'] : [];
    this.#child = tied
      ? spawn(SETPRIV, [...asUser, '--pdeathsig', endSignal, program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
      : spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...user });
    const keep = (chunk: Buffer) => (this.#output = (this.#output + chunk.toString()).slice(-4000));
    this.#child.stdout?.on('data', keep);
    this.#child.stderr?.on('data', keep);
    running.add(this);
    this.#child.once('exit', () => running.delete(this));
  }

  get #ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Waits until `probe` does not throw any more; throws with the server's last words if it ends or takes too long. */
  async healthy(probe: () => Promise<unknown>): Promise<void> {
    const deadline = performance.now() + HEALTHY_WITHIN_MS;
    for (;;) {
      try {
        await probe();
        return;
      } catch (error) {
        if (this.#ended || performance.now() > deadline) {
          throw new Error(`${this.#name} did not get ready. Its last words:\n${this.#output}`, { cause: error });
        }
        await sleep(50);
      }
    }
  }

  /** Stops it in good order, ends it if that takes too long, and resolves when it is gone. */
  async stop(): Promise<void> {
    if (this.#ended) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill(this.#options.stopSignal);
    const patience = setTimeout(() => this.end(), STOPPED_WITHIN_MS);
    await gone;
    clearTimeout(patience);
  }

  /** Ends it at once. */
  end(): void {
    this.#child.kill(this.#options.endSignal);
  }
}
