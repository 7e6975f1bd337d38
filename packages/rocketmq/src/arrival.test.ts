import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { readArrival } from './arrival.js';
import { EMPTY } from './outgoing.js';
import * as pb from './protocol.js';

/** What the stock client's classes write, and we read. */
function read({ message, status }: { message?: InstanceType<typeof pb.Message>; status?: string }) {
  const part = new pb.ReceiveMessageResponse();
  if (message !== undefined) part.setMessage(message);
  if (status !== undefined) part.setStatus(new pb.Status().setCode(pb.Code.MESSAGE_NOT_FOUND).setMessage(status));
  return readArrival(Buffer.from(part.serializeBinary()));
}

it('V1: reads what the generated classes write, whatever else stands there', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 150 });
  const whole = fc.record({
    body: fc.uint8Array({ maxLength: 400 }),
    messageId: text,
    handle: text,
    attempt: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
    other: text,
    offset: fc.integer({ min: 0, max: 2 ** 53 - 1 }),
  });
  fc.assert(
    fc.property(whole, ({ body, messageId, handle, attempt, other, offset }) => {
      const system = new pb.SystemProperties()
        .setTag(other)
        .setKeysList([other, other])
        .setMessageId(messageId)
        .setMessageType(pb.MessageType.DELAY)
        .setBornTimestamp(pb.timestamp(offset))
        .setBornHost(other)
        .setReceiptHandle(handle)
        .setQueueId(7)
        .setQueueOffset(offset)
        .setInvisibleDuration(pb.duration(10_000))
        .setDeliveryAttempt(attempt)
        .setTraceContext(other);
      const message = new pb.Message().setTopic(pb.resource(other)).setSystemProperties(system).setBody(body);
      message.getUserPropertiesMap().set('other', other);
      const expected = { body: Buffer.from(body), messageId, handle, attempt };
      const { message: arrived } = read({ message });
      expect({ ...arrived, body: Buffer.from(arrived?.body ?? []) }).toEqual(expected);
    }),
    { numRuns: 30 },
  );
});

it('reads how a poll ended', () => {
  const status = { code: pb.Code.MESSAGE_NOT_FOUND, message: 'nothing new' };
  expect(read({ status: status.message })).toEqual({ status });
});

it('a delivery without a number is the first', () => {
  expect(read({ message: new pb.Message() }).message).toMatchObject({ attempt: 1, messageId: '', handle: '' });
});

it('the mark of an empty body makes it empty', () => {
  const message = new pb.Message().setBody(Uint8Array.of(0));
  message.getUserPropertiesMap().set('another', '1').set(EMPTY, '1');
  expect(read({ message }).message?.body).toHaveLength(0);
});

it('V2: unpacks what is packed, and hands over as it is what only says so, or is far too long', () => {
  const bomb = gzipSync(Buffer.alloc(5 * 1024 * 1024));
  for (const [body, comes] of [
    [gzipSync('a'), Buffer.from('a')],
    [Buffer.from('no gzip'), Buffer.from('no gzip')],
    [bomb, bomb],
  ] as const) {
    const system = new pb.SystemProperties().setBodyEncoding(pb.Encoding.GZIP);
    const { message } = read({ message: new pb.Message().setSystemProperties(system).setBody(body) });
    expect(Buffer.compare(Buffer.from(message?.body ?? []), comes)).toBe(0);
  }
});

it('W1: what is cut off is an error, and never a shorter message', () => {
  const system = new pb.SystemProperties().setMessageId('id').setReceiptHandle('handle').setDeliveryAttempt(300);
  const message = new pb.Message().setSystemProperties(system).setBody(Buffer.from('body'));
  const bytes = Buffer.from(new pb.ReceiveMessageResponse().setMessage(message).serializeBinary());
  for (let length = 1; length < bytes.length; length += 1) {
    expect(() => readArrival(bytes.subarray(0, length))).toThrow('ends within');
  }
});

it('W1: fields of a fixed length are passed over, groups are not read', () => {
  expect(readArrival(Buffer.from([0x59, 1, 2, 3, 4, 5, 6, 7, 8, 0x5d, 1, 2, 3, 4]))).toEqual({});
  expect(() => readArrival(Buffer.from([0x5b]))).toThrow("can't be read");
});
