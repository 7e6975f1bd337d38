// The naive way: SET NX to lock, DEL to unlock. No fence, no owner: a zombie unlocks what is not its own any more.

import { Redis } from 'ioredis';
import { type Claimer, LEASE_MS } from './claimer.js';

/** Opens a client. */
export async function naiveClaimer(url: string): Promise<Claimer> {
  const client = new Redis(url, { lazyConnect: true });
  await client.connect();
  return {
    async claim(id) {
      if ((await client.set(`lock:${id}`, '1', 'PX', LEASE_MS, 'NX')) !== 'OK') throw new Error('It is locked.');
      return 0;
    },
    async finish(id) {
      await client.del(`lock:${id}`);
    },
    close: async () => client.disconnect(),
  };
}
