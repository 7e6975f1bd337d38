import { expect, it } from 'vitest';
import { proxy } from './proxy.fixture.test.js';

it('S1: asks for messages only once the proxy has the settings', async () => {
  const { clock, streams, polls, receive } = proxy({ accepts: false });
  void receive();
  await clock.advance(1_000);
  expect([streams.length, streams[0]!.written.length, polls.length]).toEqual([1, 1, 0]);
  streams[0]!.accept();
  await clock.advance(0);
  expect(polls).toHaveLength(1);
});

it('S2: opens a broken stream again, with its settings, and says how it stands', async () => {
  const { clock, consumer, streams, states } = proxy();
  await Promise.all([consumer.open(), clock.advance(0)]);
  streams[0]!.emit('error', Object.assign(new Error('cut'), { code: 14 }));
  await clock.advance(499);
  expect([streams.length, states]).toEqual([1, ['up', 'down']]);
  await clock.advance(1);
  expect([streams.length, streams[1]!.written.length, states]).toEqual([2, 1, ['up', 'down', 'up']]);
});

it("S2: an error of a stream that is over is nobody's", async () => {
  const { clock, consumer, streams } = proxy();
  await Promise.all([consumer.open(), clock.advance(0)]);
  await consumer.close();
  streams[0]!.emit('error', Object.assign(new Error('read ECONNRESET'), { code: 14 }));
  await clock.advance(60_000);
  expect([streams.length, streams[0]!.cancelled]).toEqual([1, true]);
});

it('S2: a late error of an earlier stream does nothing to the present one', async () => {
  const { clock, consumer, streams, states } = proxy();
  await Promise.all([consumer.open(), clock.advance(0)]);
  const cut = Object.assign(new Error('cut'), { code: 14 });
  streams[0]!.emit('error', cut);
  await clock.advance(500);
  streams[0]!.emit('error', cut);
  await clock.advance(5_000);
  expect([streams.length, states]).toEqual([2, ['up', 'down', 'up']]);
});

it('S3: says in time that there is no answer', async () => {
  const { clock, consumer } = proxy({ accepts: false });
  const opened = consumer.open().catch((error: unknown) => error);
  await clock.advance(5_000);
  expect(await opened).toMatchObject({
    message: expect.stringContaining('no answer to the settings of g within 5000 ms'),
  });
});

it('S4: tells its settings anew, on another stream, when nobody answers them', async () => {
  const { clock, consumer, streams } = proxy({ accepts: false });
  const opened = consumer.open();
  await clock.advance(3_500);
  expect([streams.length, streams[0]!.cancelled]).toEqual([2, true]);
  streams[1]!.accept();
  await opened;
  await clock.advance(60_000);
  expect(streams).toHaveLength(2);
});

it('S3: says at once that the group is missing', async () => {
  const { clock, consumer, streams } = proxy({ accepts: false });
  const opened = consumer.open().catch((error: unknown) => error);
  await clock.advance(0);
  streams[0]!.emit('error', Object.assign(new Error('3 INVALID_ARGUMENT: group not found: g'), { code: 3 }));
  expect(await opened).toMatchObject({ code: 'E_BROKER_SETUP', message: expect.stringContaining('-g g -r 1000') });
});

it('says that it is alive every ten seconds, until it closes', async () => {
  const { clock, consumer, calls } = proxy();
  await Promise.all([consumer.open(), clock.advance(0)]);
  await clock.advance(30_000);
  expect(calls).toEqual(['heartbeat', 'heartbeat', 'heartbeat']);
  await consumer.close();
  await clock.advance(30_000);
  expect(calls.slice(3)).toEqual(['notifyClientTermination']);
});
