import type { OutgoingMessage } from '@carillon/core/spi';
import { VirtualClock } from '@carillon/testing';
import { expect, it } from 'vitest';
import { Horizon } from './horizon.js';
import { resolveOptions, type RocketmqOptions } from './options.js';
import { EMPTY } from './outgoing.js';
import { Code, type SendMessageRequest } from './protocol.js';
import { Sender, type SenderParts } from './sender.js';

type Request = InstanceType<typeof SendMessageRequest>;
type Answer = { readonly code: number; readonly message?: string } | Error;

const HOUR = 3_600_000;

/** A sender whose broker answers what the test says, the last answer again and again. */
function setUp(answers: Answer[], over: Partial<RocketmqOptions> = {}) {
  const clock = new VirtualClock();
  const options = resolveOptions({ endpoint: 'a:1', clock, random: { next: () => 1 }, ...over });
  const horizon = new Horizon(options.horizonMs);
  const requests: { at: number; request: Request }[] = [];
  const state = { underway: 0, most: 0 };
  const channel = {
    async call(_name: string, request: Request) {
      requests.push({ at: clock.now(), request });
      state.underway += 1;
      state.most = Math.max(state.most, state.underway);
      await new Promise<void>((resolve) => clock.soon(resolve));
      state.underway -= 1;
      const answer = answers.length > 1 ? answers.shift()! : answers[0]!;
      if (answer instanceof Error) throw answer;
      const status = { toObject: () => ({ message: '', ...answer }) };
      return {
        getStatus: () => status,
        getEntriesList: () => [{ getStatus: () => status, getRecallHandle: () => '' }],
      };
    },
  } as unknown as SenderParts['channel'];
  const sender = new Sender({ channel, options, horizon });
  const message = (more: Partial<OutgoingMessage> = {}): OutgoingMessage => ({
    id: 'a',
    queue: 'default',
    body: Uint8Array.of(1, 2),
    deliverAt: clock.now(),
    ...more,
  });
  const deliverAts = () =>
    requests.map(({ request }) => {
      const time = request.getMessagesList()[0]!.getSystemProperties()!.getDeliveryTimestamp()!;
      return time.getSeconds() * 1000 + time.getNanos() / 1_000_000;
    });
  return { clock, sender, horizon, requests, state, message, deliverAts };
}

const ok = { code: Code.OK };

it('S1: sends side by side, up to a number', async () => {
  const { clock, sender, state, requests, message } = setUp([ok], { sends: 4 });
  const all = Promise.all(Array.from({ length: 20 }, () => sender.send(message())));
  await clock.advance(0);
  expect((await all).map(({ outcome }) => outcome)).toEqual(Array.from({ length: 20 }, () => 'sent'));
  expect([state.most, requests.length]).toEqual([4, 20]);
});

it('S2: asks a throttled broker again, later and later, then calls the outcome unknown', async () => {
  const { clock, sender, requests, message } = setUp([{ code: Code.TOO_MANY_REQUESTS }]);
  const sent = sender.send(message());
  await clock.advance(60_000);
  expect(await sent).toMatchObject({ outcome: 'unknown', cause: { kind: 'throttled' } });
  const waits = requests.slice(1).map(({ at }, index) => at - requests[index]!.at);
  expect(waits).toEqual([200, 400, 800, 1600, 3200]);
});

it('S2: is content once the broker takes it', async () => {
  const { clock, sender, message } = setUp([{ code: 50001, message: 'system busy, start flow control' }, ok]);
  const sent = sender.send(message());
  await clock.advance(1_000);
  expect(await sent).toEqual({ outcome: 'sent' });
});

it('S3: a host whose clock is hours behind that of the ledger sends as far ahead as it may, and refuses nothing', async () => {
  const { clock, sender, message, deliverAts } = setUp([ok]);
  const sent = sender.send(message({ deliverAt: clock.now() + 22 * HOUR }));
  await clock.advance(0);
  expect(await sent).toEqual({ outcome: 'sent' });
  expect(deliverAts()).toEqual([clock.now() + 20 * HOUR]);
});

it('S3: learns the horizon, and sends the same message for as far as the broker allows', async () => {
  const tooFar = { code: Code.ILLEGAL_DELIVERY_TIME, message: `max is ${HOUR}` };
  const { clock, sender, horizon, message, deliverAts } = setUp([tooFar, ok]);
  const start = clock.now();
  expect(await sender.send(message({ deliverAt: start + 10 * HOUR }))).toEqual({ outcome: 'sent' });
  expect(deliverAts()).toEqual([start + 10 * HOUR, start + horizon.ms]);
  expect(horizon.ms).toBeLessThan(HOUR);
});

it.each([
  [{ code: 50400 }, 'unknown'],
  [{ code: 50002 }, 'unknown'],
  [Object.assign(new Error('late'), { code: 4 }), 'unknown'],
  [{ code: Code.MESSAGE_BODY_TOO_LARGE }, 'refused'],
] as const)('S4: %o is %s', async (answer, outcome) => {
  const { sender, message, requests } = setUp([answer]);
  expect((await sender.send(message())).outcome).toBe(outcome);
  expect(requests).toHaveLength(1);
});

it.each([
  [{ code: Code.TOPIC_NOT_FOUND }, { code: 'E_BROKER_SETUP' }],
  [{ code: Code.UNAUTHORIZED }, { code: 'E_BROKER_ACCESS' }],
  [Object.assign(new Error('cut'), { code: 14 }), { kind: 'unreachable' }],
])('throws what says nothing of the message: %o', async (answer, error) => {
  const { sender, message } = setUp([answer]);
  await expect(sender.send(message())).rejects.toMatchObject(error);
});

it('sends every message with a delivery time, in the past too, and an empty body as one that the broker takes', async () => {
  const { sender, requests, message, deliverAts } = setUp([ok]);
  await sender.send(message({ deliverAt: 0, body: new Uint8Array() }));
  const [sent] = requests[0]!.request.getMessagesList();
  expect(deliverAts()).toEqual([1]);
  expect([sent!.getBody_asU8().length, sent!.getUserPropertiesMap().get(EMPTY)]).toEqual([1, '1']);
});

it('sets the property of older managed services only if asked', async () => {
  for (const vendorProperty of [false, true]) {
    const { sender, requests, message } = setUp([ok], { vendorProperty });
    await sender.send(message({ deliverAt: 123_456 }));
    const properties = requests[0]!.request.getMessagesList()[0]!.getUserPropertiesMap();
    expect(properties.get('__STARTDELIVERTIME')).toBe(vendorProperty ? '123456' : undefined);
  }
});

it('gives each message an id of its own, of the length that brokers know', async () => {
  const { sender, requests, message } = setUp([ok]);
  await Promise.all(Array.from({ length: 50 }, () => sender.send(message())));
  const ids = requests.map(({ request }) => request.getMessagesList()[0]!.getSystemProperties()!.getMessageId());
  expect(new Set(ids).size).toBe(50);
  for (const id of ids) expect(id).toMatch(/^01[0-9A-F]{32}$/);
});
