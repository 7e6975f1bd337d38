// A worker on RocketMQ as a process of its own: tells what it does, and ends by itself once it is told to close.

import { Carillon, defineTask, implement, silentLogger } from '@carillon/core';
import { embeddedLedger } from '@carillon/embedded';
import { rocketmq } from '@carillon/rocketmq';

const [endpoint = '', prefix = '', folder = '', work = '0'] = process.argv.slice(2);

const task = implement(defineTask<number>('work'), async (index, { idempotencyKey }) => {
  process.send?.({ is: 'start', index, idempotencyKey });
  await new Promise((resolve) => setTimeout(resolve, Number(work)));
  process.send?.({ is: 'effect', index, idempotencyKey });
});
const transport = rocketmq({ endpoint, prefix });
const ledger = embeddedLedger(folder);
const carillon = new Carillon({
  backend: { transport, ledger },
  tasks: [task],
  concurrency: 20,
  logger: silentLogger,
});
carillon.on('job:completed', () => process.send?.({ is: 'done' }));
await carillon.start();
process.send?.({ is: 'ready' });
await new Promise((resolve) => process.once('message', resolve));
await carillon.stop({ within: '2s' });
process.send?.({ is: 'stopped' });
process.disconnect();
