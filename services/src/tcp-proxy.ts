// TcpProxy: a network between a client and a server that fails on demand.
//
// T1  Bytes are never changed or reordered: a connection carries them, late or cut short, but truly.

import { once } from 'node:events';
import { createServer, connect } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { HOST } from './ports.js';

/** Where a proxy listens and whom it speaks to. */
export interface TcpProxyOptions {
  /** The server's port on this machine. */
  readonly target: number;
  /** By default a free one. */
  readonly port?: number | undefined;
}

/** A started proxy. */
export interface TcpProxy {
  readonly port: number;
  /** How many connections are open now. */
  readonly connections: number;
  /** Cuts every connection; new ones are welcome. */
  cut(): void;
  /** Cuts every connection and refuses new ones, until `heal`. */
  refuse(): Promise<void>;
  /** Carries nothing either way, while connections stay open and new ones are taken, until `heal`. */
  freeze(): void;
  /** Delivers everything that comes from now on this much later, each way, until `heal`. */
  delay(ms: number): void;
  /**
   * Lets the next request that contains `bytes` (by default any) through to the server, swallows what the server says
   * to it and cuts that connection; resolves when that has happened.
   */
  dropNextReply(bytes?: string): Promise<void>;
  /** Lets everything through again. */
  heal(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a proxy and resolves when it listens. */
export async function startTcpProxy(options: TcpProxyOptions): Promise<TcpProxy> {
  const links = new Set<Link>();
  const network: Network = { frozen: false, delayMs: 0, drop: undefined };
  let listener = await listen(options.port ?? 0);
  const { port } = listener.address() as AddressInfo;

  function accept(client: Socket): void {
    const link = new Link(client, connect({ port: options.target, host: HOST, allowHalfOpen: true }), network, () =>
      links.delete(link),
    );
    links.add(link);
  }
  async function listen(on: number): Promise<Server> {
    const server = createServer({ allowHalfOpen: true }, accept).listen(on, HOST);
    await once(server, 'listening');
    return server;
  }
  const cut = () => [...links].forEach((link) => link.cut());
  const refuse = async () => {
    if (listener.listening) {
      listener.close();
      cut();
      await once(listener, 'close');
    }
  };
  return {
    port,
    get connections() {
      return links.size;
    },
    cut,
    refuse,
    freeze() {
      network.frozen = true;
      links.forEach((link) => link.flow());
    },
    delay(ms) {
      network.delayMs = ms;
    },
    dropNextReply(bytes = '') {
      return new Promise((resolve) => (network.drop = { bytes, done: resolve }));
    },
    async heal() {
      network.frozen = false;
      network.delayMs = 0;
      links.forEach((link) => link.flow());
      if (!listener.listening) listener = await listen(port);
    },
    stop: refuse,
  };
}

/** What befalls every connection. */
interface Network {
  frozen: boolean;
  delayMs: number;
  drop: { readonly bytes: string; readonly done: () => void } | undefined;
}

/** One connection through the proxy. */
class Link {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #network: Network;
  #dropped: (() => void) | undefined;

  constructor(client: Socket, server: Socket, network: Network, ended: () => void) {
    this.#client = client;
    this.#server = server;
    this.#network = network;
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.on('error', () => this.cut());
      socket.on('close', () => {
        this.cut();
        ended();
      });
    }
    this.#carry(client, server, (chunk) => this.#request(chunk));
    this.#carry(server, client, () => this.#reply());
    this.flow();
  }

  /** Stops or goes on, as the network is frozen or not. */
  flow(): void {
    for (const socket of [this.#client, this.#server]) {
      if (this.#network.frozen) socket.pause();
      else socket.resume();
    }
  }

  /** Breaks both sides, as a network does: with a reset. */
  cut(): void {
    for (const socket of [this.#client, this.#server]) if (!socket.destroyed) socket.resetAndDestroy();
  }

  #carry(from: Socket, to: Socket, passes: (chunk: Buffer) => boolean): void {
    const late: (() => void)[] = [];
    const later = (act: () => void) => {
      const { delayMs } = this.#network;
      if (delayMs === 0 && late.length === 0) return act();
      late.push(act);
      setTimeout(() => late.shift()!(), delayMs); // whichever timer runs: the oldest goes first (T1)
    };
    from.on('data', (chunk) => {
      if (passes(chunk)) later(() => to.write(chunk));
    });
    from.on('end', () => later(() => to.end()));
  }

  #request(chunk: Buffer): boolean {
    const { drop } = this.#network;
    if (drop && chunk.includes(drop.bytes)) {
      this.#dropped = drop.done;
      this.#network.drop = undefined;
    }
    return true;
  }

  #reply(): boolean {
    if (this.#dropped === undefined) return true;
    this.cut();
    this.#dropped();
    return false;
  }
}
