import { VirtualClock } from '@carillon/testing';
import { expect, it } from 'vitest';
import { type AckParts, Acks, GATHER_MS } from './acks.js';
import { AckMessageRequest } from './protocol.js';

type Request = InstanceType<typeof AckMessageRequest>;
type Response = Awaited<ReturnType<AckParts['channel']['call']>>;

/** Acks whose requests a test answers by hand. */
function setUp() {
  const clock = new VirtualClock();
  const requests: {
    handles: string[];
    answer: (codes?: Record<string, number>, whole?: number) => void;
    fail: () => void;
  }[] = [];
  const channel = {
    call: (_name: string, request: Request) =>
      new Promise<Response>((resolve, reject) => {
        const handles = request.getEntriesList().map((entry) => entry.getReceiptHandle());
        const status = (code: number) => ({ toObject: () => ({ code, message: '' }) });
        const answer = (codes: Record<string, number> = {}, whole = 20000): void => {
          const entries = handles.map((handle) => ({
            getReceiptHandle: () => handle,
            getStatus: () => status(codes[handle] ?? 20000),
          }));
          const list = whole === 20000 || Object.keys(codes).length > 0 ? entries : [];
          resolve({ getEntriesList: () => list, getStatus: () => status(whole) } as unknown as Response);
        };
        requests.push({ handles, answer, fail: () => reject(Object.assign(new Error('cut'), { code: 14 })) });
      }),
  } as unknown as AckParts['channel'];
  const acks = new Acks({ channel, topic: 't', group: 'g', requestTimeoutMs: 1000, clock });
  const ack = (handle: string) => acks.ack({ messageId: `id-${handle}`, handle });
  return { clock, requests, ack };
}

it('K1: sends what comes within a moment with one request', async () => {
  const { clock, requests, ack } = setUp();
  const answers = [ack('a')];
  await clock.advance(GATHER_MS - 1);
  answers.push(ack('b'), ack('c'));
  expect(requests).toHaveLength(0);
  await clock.advance(1);
  expect(requests.map(({ handles }) => handles)).toEqual([['a', 'b', 'c']]);
  requests[0]!.answer();
  expect(await Promise.all(answers)).toEqual(['ok', 'ok', 'ok']);
});

it('K1: gathers, while two requests are under way, what goes with the next', async () => {
  const { clock, requests, ack } = setUp();
  const answers: Promise<'ok' | 'lost'>[] = [];
  for (const handle of ['a', 'b', 'c', 'd']) {
    answers.push(ack(handle));
    await clock.advance(GATHER_MS);
  }
  expect(requests.map(({ handles }) => handles)).toEqual([['a'], ['b']]);
  requests[0]!.answer();
  await clock.advance(0);
  expect(requests.map(({ handles }) => handles)).toEqual([['a'], ['b'], ['c', 'd']]);
  requests[1]!.answer();
  requests[2]!.answer();
  expect(await Promise.all(answers)).toEqual(['ok', 'ok', 'ok', 'ok']);
});

it('K1: gives what has come during a request its moment too', async () => {
  const { clock, requests, ack } = setUp();
  const answers = [ack('a')];
  await clock.advance(GATHER_MS);
  answers.push(ack('b'));
  requests[0]!.answer();
  await clock.advance(0);
  expect(requests.map(({ handles }) => handles)).toEqual([['a']]);
  await clock.advance(GATHER_MS);
  requests[1]!.answer();
  expect(await Promise.all(answers)).toEqual(['ok', 'ok']);
});

it('K1: sends what fills a request at once', async () => {
  const { clock, requests, ack } = setUp();
  const all = Promise.all(Array.from({ length: 64 }, (_, index) => ack(`${index}`)));
  expect(requests.map(({ handles }) => handles.length)).toEqual([64]);
  requests[0]!.answer();
  await clock.advance(0);
  expect(new Set(await all)).toEqual(new Set(['ok']));
});

it('splits what is more than a request takes', async () => {
  const { clock, requests, ack } = setUp();
  const all = Promise.all(Array.from({ length: 150 }, (_, index) => ack(`${index}`)));
  await clock.advance(GATHER_MS);
  expect(requests.map(({ handles }) => handles.length)).toEqual([64, 64]);
  requests[0]!.answer();
  await clock.advance(GATHER_MS);
  expect(requests.map(({ handles }) => handles.length)).toEqual([64, 64, 22]);
  for (const { answer } of requests) answer();
  expect(new Set(await all)).toEqual(new Set(['ok']));
});

it('K2: one that is lost says nothing of the others', async () => {
  const { clock, requests, ack } = setUp();
  const all = Promise.allSettled(['a', 'b', 'c'].map(ack));
  await clock.advance(GATHER_MS);
  requests[0]!.answer({ b: 40013, c: 50001 }, 30000);
  expect(await all).toMatchObject([
    { value: 'ok' },
    { value: 'lost' },
    { status: 'rejected', reason: { kind: 'unclear', code: 50001 } },
  ]);
});

it('fails all of a request that failed, and goes on', async () => {
  const { clock, requests, ack } = setUp();
  const lost = Promise.allSettled(['a', 'b'].map(ack));
  await clock.advance(GATHER_MS);
  requests[0]!.fail();
  expect(await lost).toMatchObject([{ reason: { kind: 'unreachable' } }, { reason: { kind: 'unreachable' } }]);
  const next = ack('c');
  await clock.advance(GATHER_MS);
  requests[1]!.answer();
  expect(await next).toBe('ok');
});

it('takes the answer to the whole where an entry has none', async () => {
  const { clock, requests, ack } = setUp();
  const refused = ack('a');
  await clock.advance(GATHER_MS);
  requests[0]!.answer({}, 40100);
  await expect(refused).rejects.toMatchObject({ kind: 'access' });
});
