// Replacement: notices that another server answers, or the same one started again: then some of what was answered before may be
// gone.
//
// E1  A server is known by the id of its process. It is asked whenever a connection is ready again, and when a Cluster's client
//     has learnt anew who its masters are.
// E2  What is noticed is told until it has been heard: while that fails, again after a pause.

import { Cluster, type Redis } from 'ioredis';
import { runIdOf } from './look.js';

const PAUSE_MS = 1_000;

/** Watches the servers of one client. */
export class Replacement {
  readonly #client: Redis | Cluster;
  readonly #onReplaced: () => Promise<void>;
  #known: ReadonlySet<string | undefined> = new Set();
  #noticed = 0;
  #looking = false;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;

  /** Calls `onReplaced` when another server answers, and again if that rejects. */
  constructor(client: Redis | Cluster, onReplaced: () => Promise<void>) {
    this.#client = client;
    this.#onReplaced = onReplaced;
  }

  /** Watches from now on. */
  async begin(): Promise<void> {
    this.#known = new Set(await this.#runIds());
    const notice = (): void => void this.#look();
    const listen = (node: Redis): void => void node.on('ready', notice);
    if (!(this.#client instanceof Cluster)) return listen(this.#client);
    for (const node of this.#client.nodes()) listen(node);
    this.#client.on('+node', listen).on('refresh', notice);
  }

  /** Ends it. */
  end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    this.#noticed += 1;
    if (this.#looking || this.#ended) return;
    this.#looking = true;
    clearTimeout(this.#timer);
    const noticed = this.#noticed;
    try {
      const runIds = await this.#runIds();
      if (runIds.some((id) => id === undefined || !this.#known.has(id))) await this.#onReplaced();
      this.#known = new Set(runIds);
      this.#looking = false;
      if (noticed !== this.#noticed) void this.#look();
    } catch {
      this.#looking = false;
      if (!this.#ended) this.#timer = setTimeout(() => void this.#look(), PAUSE_MS).unref(); // E2
    }
  }

  #runIds(): Promise<readonly (string | undefined)[]> {
    const servers = this.#client instanceof Cluster ? this.#client.nodes('master') : [this.#client];
    return Promise.all(servers.map(runIdOf));
  }
}
