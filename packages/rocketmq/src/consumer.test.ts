import { expect, it } from 'vitest';
import { proxy } from './proxy.fixture.test.js';

const texts = (count: number) => Array.from({ length: count }, (_, index) => `${index}`);

it('answers with what a poll brings', async () => {
  const { clock, polls, receive } = proxy();
  const received = receive();
  await clock.advance(0);
  expect(polls.map(({ size }) => size)).toEqual([10]);
  polls[0]!.bring('a', 'b');
  expect(await received).toEqual(['a', 'b']);
});

it('R1: a poll goes on when its receive has ended, and the next one gets what it brings', async () => {
  const { clock, polls, receive, calls } = proxy();
  const end = new AbortController();
  const first = receive(10, end.signal);
  await clock.advance(0);
  end.abort();
  expect(await first).toEqual([]);
  polls[0]!.bring('a');
  await clock.advance(1_000);
  expect(await receive()).toEqual(['a']);
  await clock.advance(10_000);
  expect(calls.filter((call) => call.startsWith('put back'))).toEqual([]);
});

it('R1, R4: what nobody comes for is given back after a moment, uncounted', async () => {
  const { clock, polls, receive, calls } = proxy();
  const end = new AbortController();
  const first = receive(10, end.signal);
  await clock.advance(0);
  end.abort();
  await first;
  polls[0]!.bring('a', 'b');
  await clock.advance(1_999);
  expect(calls).toEqual([]);
  await clock.advance(1);
  expect(calls).toEqual(['put back h-a 0', 'put back h-b 0']);
});

it('R2: asks for no more, in all polls together, than is wanted', async () => {
  const { clock, polls, receive } = proxy();
  const first = receive(100);
  await clock.advance(0);
  polls[0]!.bring(...texts(32));
  expect(await first).toHaveLength(32);
  const second = receive(70);
  await clock.advance(0);
  expect(polls.slice(1).map(({ size }) => size)).toEqual([32, 32, 6]);
  polls[1]!.bring(...texts(32));
  expect(await second).toHaveLength(32);
  void receive(38);
  await clock.advance(0);
  expect(polls).toHaveLength(4);
});

it('R2: hands out no more than is asked for; the rest waits for the next', async () => {
  const { clock, polls, receive } = proxy();
  const end = new AbortController();
  const first = receive(10, end.signal);
  await clock.advance(0);
  end.abort();
  await first;
  polls[0]!.bring('a', 'b', 'c');
  await clock.advance(0);
  expect(await receive(2)).toEqual(['a', 'b']);
  expect(await receive(2)).toEqual(['c']);
});

it('R3: one poll while the queue is quiet, several while each comes back full, one again after', async () => {
  const { clock, polls, receive } = proxy();
  const first = receive(1_000);
  await clock.advance(0);
  expect(polls).toHaveLength(1);
  polls[0]!.bring(...texts(32));
  await first;
  void receive(1_000);
  await clock.advance(0);
  expect(polls).toHaveLength(9);
  for (const poll of polls.slice(1)) poll.bring('a');
  await clock.advance(0);
  await receive(1_000); // what those brought
  void receive(1_000);
  await clock.advance(0);
  expect(polls).toHaveLength(10);
});

it('R3: one poll per broker', async () => {
  const { clock, polls, consumer, receive } = proxy({ brokers: ['a', 'b', 'c'] });
  await Promise.all([consumer.open(), clock.advance(0)]);
  void receive(30);
  await clock.advance(0);
  expect(polls.map(({ size }) => size)).toEqual([10, 10, 10]);
});

it('a poll that fails fails those who wait, and the next one polls again', async () => {
  const { clock, polls, receive } = proxy();
  const failed = receive().catch((error: unknown) => error);
  await clock.advance(0);
  polls[0]!.fail(14);
  expect(await failed).toMatchObject({ kind: 'unreachable' });
  const second = receive();
  await clock.advance(0);
  polls[1]!.bring('a');
  expect(await second).toEqual(['a']);
});

it('a poll that breaks after it brought something has brought it', async () => {
  const { clock, polls, receive } = proxy();
  const received = receive(2);
  await clock.advance(0);
  polls[0]!.fail(14, 'a');
  expect(await received).toEqual(['a']);
});

it('gives back what is held when it closes, counted if it was handed over, and says goodbye', async () => {
  const { clock, consumer, polls, receive, calls } = proxy();
  const first = receive(1);
  await clock.advance(0);
  polls[0]!.bring('handed');
  await first;
  const end = new AbortController();
  const second = receive(1, end.signal);
  await clock.advance(0);
  end.abort();
  await second;
  polls[1]!.bring('parked');
  await clock.advance(0);
  await consumer.close();
  expect(calls).toEqual(['change h-handed 0', 'put back h-parked 0', 'notifyClientTermination']);
});

it('ends every wait when it closes', async () => {
  const { clock, consumer, polls, receive } = proxy();
  const waiting = receive(1);
  await clock.advance(0);
  await consumer.close();
  expect([await waiting, polls[0]!.cancelled]).toEqual([[], true]);
  expect(await receive(1)).toEqual([]);
});
