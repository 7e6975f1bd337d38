// Worker: an engine on RocketMQ with a ledger of either kind, and the process beside it that places its jobs.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Carillon, defineTask, implement, silentLogger } from '@carillon/core';
import { embeddedLedger } from '@carillon/embedded';
import { redis } from '@carillon/redis-dedupe';
import { rocketmq } from '@carillon/rocketmq';

/** Which ledger stands beside the broker. */
export type LedgerName = 'embedded store' | 'Redis';

/** Where jobs run: an empty topic, and an empty ledger. */
export interface Place {
  readonly endpoint: string;
  readonly prefix: string;
  readonly ledger: { readonly folder: string } | { readonly redisUrl: string };
}

/** What a producer places: jobs whose payload is their due time, evenly spread from `first` on. */
export interface Placement {
  readonly place: Place;
  readonly count: number;
  /** Due time of the first; 0 makes all of them due at once. */
  readonly first: number;
  readonly perSecond: number;
}

export const task = defineTask<number>('job');
const CONCURRENCY = 256;
const PRODUCER = fileURLToPath(new URL('./producer.js', import.meta.url));

/** An engine at a place; without a handler it only places jobs. */
export async function openEngine(place: Place, handle?: (payload: number) => void): Promise<Carillon> {
  const { endpoint, prefix, ledger } = place;
  const carillon = new Carillon({
    backend: {
      transport: rocketmq({ endpoint, prefix }),
      ledger:
        'folder' in ledger
          ? embeddedLedger(ledger.folder)
          : redis({ url: ledger.redisUrl, prefix, onFinding: () => {} }),
    },
    tasks: handle === undefined ? [] : [implement(task, handle)],
    ...(handle !== undefined && { concurrency: CONCURRENCY }),
    logger: silentLogger,
  });
  await carillon.start();
  return carillon;
}

/** Places jobs from a process of its own; resolves when every message is at the broker. */
export async function produce(placement: Placement): Promise<void> {
  const child = fork(PRODUCER, [JSON.stringify(placement)]);
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error('The producer failed.');
}
