// Headroom: tells in time that the memory of a server will not last.
//
// H1  It is told once for each time that use rises beyond `ALARM`; again only after it has been below `CALM`.
// H2  A server without `maxmemory`, or one that does not tell, is not judged.

import type { Redis } from 'ioredis';
import type { Finding } from './fitness.js';
import { memoryOf } from './look.js';

const ALARM = 0.7;
const CALM = 0.65;

/** Watches how much of their memory servers use. */
export class Headroom {
  readonly #onFinding: (finding: Finding) => void;
  readonly #told = new Set<string>();

  constructor(onFinding: (finding: Finding) => void) {
    this.#onFinding = onFinding;
  }

  /** Looks at servers, and tells of those that are filling up. */
  async look(servers: readonly Redis[]): Promise<void> {
    await Promise.all(servers.map(async (server) => this.#judge(server)));
  }

  async #judge(server: Redis): Promise<void> {
    const { host, port } = server.options;
    const { used, most } = await memoryOf(server);
    const name = `${host}:${port}`;
    const share = used / most; // not a number, or infinite, if there is no limit (H2)
    if (share < CALM) this.#told.delete(name);
    if (!Number.isFinite(share) || share < ALARM || this.#told.has(name)) return;
    this.#told.add(name);
    this.#onFinding({
      concern: 'memory',
      refused: false,
      message: `${name}: ${Math.round(share * 100)} % of maxmemory is in use.`,
      next: 'Raise maxmemory, or remove what else it keeps: when it is full, nothing new begins.',
    });
  }
}
