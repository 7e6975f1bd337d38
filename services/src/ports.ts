// Ports: free TCP ports of the loopback interface, and whether one is taken.

import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

/** The address that every server listens on. */
export const HOST = '127.0.0.1';

const TRIES = 50;

/** A free port `p` for which `p + offset` is free as well, for each of `offsets`. */
export async function freePort(offsets: readonly number[] = []): Promise<number> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const port = (await listenOn(0))!;
    const others = await Promise.all(offsets.map((offset) => isFree(port + offset)));
    if (others.every(Boolean)) return port;
  }
  throw new Error(`No free port with free neighbours at ${offsets.join(', ')} in ${TRIES} tries.`);
}

/** The port that was asked for, or a free one; throws if somebody listens on it already. */
export async function claimPort(wanted: number | undefined): Promise<number> {
  if (wanted === undefined) return freePort();
  if (await isFree(wanted)) return wanted;
  throw new Error(`Port ${wanted} is taken: another program listens on it.`);
}

/** Whether nobody listens on this port. */
async function isFree(port: number): Promise<boolean> {
  return port > 0 && port < 65_536 && (await listenOn(port)) !== undefined;
}

/** Listens on a port for a moment; resolves with the port, or with nothing if it is taken. */
async function listenOn(port: number): Promise<number | undefined> {
  const listener = createServer();
  try {
    listener.listen(port, HOST);
    await once(listener, 'listening');
  } catch {
    return undefined;
  }
  const taken = (listener.address() as AddressInfo).port;
  listener.close();
  await once(listener, 'close');
  return taken;
}
