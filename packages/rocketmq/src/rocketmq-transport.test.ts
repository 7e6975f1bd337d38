import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { VirtualClock } from '@carillon/testing';
import { expect, it } from 'vitest';
import { rocketmq } from './rocketmq.js';

it('opening ends when its time is over, though single calls may take longer', async () => {
  const silent = createServer(() => {});
  await once(silent.listen(0, '127.0.0.1'), 'listening');
  const clock = new VirtualClock();
  const endpoint = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const transport = rocketmq({ endpoint, clock, startTimeout: '2s', requestTimeout: '1h' });
  const opened = transport.open(['default']).catch((error: unknown) => error);
  await clock.advance(2_000);
  expect(await opened).toMatchObject({ code: 'E_BROKER', message: expect.stringContaining('within 2000 ms') });
  silent.close();
});
