import { assert, property, stringMatching } from 'fast-check';
import { expect, it } from 'vitest';
import { topicOf } from './names.js';

it.each([
  ['default', 'carillon-default'],
  ['shop/default', 'carillon-shop_-default'],
  ['shop/send_mail', 'carillon-shop_-send__mail'],
  ['v1.2/mail', 'carillon-v1_x2e_2_-mail'],
])('%s is %s', (queue, topic) => {
  expect(topicOf('carillon-', queue)).toBe(topic);
});

it('N1: no two queues share a topic, and every topic is one that the broker takes', () => {
  const queue = stringMatching(/^[A-Za-z0-9._/x-]{1,8}$/);
  assert(
    property(queue, queue, (a, b) => {
      expect(topicOf('', a)).toMatch(/^[A-Za-z0-9_-]+$/);
      expect(topicOf('', a) === topicOf('', b)).toBe(a === b);
    }),
    { numRuns: 2_000 },
  );
});
