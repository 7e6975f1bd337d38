import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  aliasRecord,
  answerRecord,
  checkIdentity,
  checkNamespace,
  idOf,
  isOf,
  jobRecord,
  mintedForKey,
  partitionOf,
  pauseRecord,
  pointerPrefix,
  pointerRecord,
  queueName,
  queueOf,
} from './names.js';

const namespaces = fc.constantFrom('', 'app', 'app2', 'a', 'app.eu-1_x');
const identities = fc.string({ minLength: 1, maxLength: 30 }).filter((text) => {
  try {
    return checkIdentity(text, 'id') === text;
  } catch {
    return false;
  }
});
const tasks = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,20}$/);

describe('N1: no two pairs of parts give one name', () => {
  test('namespace and id', () => {
    fc.assert(
      fc.property(namespaces, identities, namespaces, identities, (n1, id1, n2, id2) => {
        for (const record of [jobRecord, aliasRecord, (n: string, id: string) => answerRecord(n, id, '00')])
          expect(record(n1, id1).id === record(n2, id2).id).toBe(n1 === n2 && id1 === id2);
        expect(idOf(n1, jobRecord(n1, id1))).toBe(id1);
      }),
    );
  });

  test('task and key', () => {
    fc.assert(
      fc.property(tasks, identities, tasks, identities, (t1, k1, t2, k2) => {
        expect(pointerRecord('app', t1, k1).id === pointerRecord('app', t2, k2).id).toBe(t1 === t2 && k1 === k2);
      }),
    );
    expect(pointerRecord('', 't', 'a/b').id).toBe('t/a/b');
  });

  test('the records of one id are of different kinds', () => {
    const kinds = [jobRecord('', 'x'), aliasRecord('', 'x'), answerRecord('', 'x', '00'), pointerRecord('', 't', 'x')];
    expect(new Set(kinds.map(({ kind }) => kind)).size).toBe(4);
  });

  test('a prefix finds the keys that start so, of this task and namespace only', () => {
    const prefix = pointerPrefix('app', 't', 'order/');
    expect(pointerRecord('app', 't', 'order/42').id.startsWith(prefix)).toBe(true);
    for (const other of [
      pointerRecord('app', 't', 'orders'),
      pointerRecord('app', 't2', 'order/42'),
      pointerRecord('app2', 't', 'order/42'),
      pointerRecord('', 't', 'order/42'),
    ])
      expect(other.id.startsWith(prefix)).toBe(false);
  });

  test('the namespace without a name knows its own', () => {
    expect(isOf('', jobRecord('', 'x'))).toBe(true);
    expect(isOf('', jobRecord('app', 'x'))).toBe(false);
    expect(isOf('app', jobRecord('app', 'x'))).toBe(true);
  });
});

describe('N2: the partition of a minted id can be read off the id', () => {
  test('with a key', () => {
    fc.assert(
      fc.property(tasks, identities, (task, key) => {
        const partition = partitionOf(`${task}/${key}`);
        const id = mintedForKey('0123456789abcdefghjk', partition);
        expect(jobRecord('app', id).partition).toBe(partition);
        expect(pointerRecord('app', task, key).partition).toBe(partition);
      }),
    );
  });

  test('without one, and for ids of the caller’s', () => {
    fc.assert(
      fc.property(identities, (id) => {
        const { partition } = jobRecord('app', id);
        expect(partition).toMatch(/^[0-9a-f]{2}$/);
        expect(jobRecord('', id).partition).toBe(partition);
        expect(aliasRecord('app', id).partition).toBe(partition);
      }),
    );
    expect(jobRecord('', 'order-42').partition).toBe('42');
  });

  test('partitions are spread evenly', () => {
    const counts = new Map<string, number>();
    for (let n = 0; n < 25_600; n += 1) {
      const partition = partitionOf(`t/order-${n}`);
      counts.set(partition, (counts.get(partition) ?? 0) + 1);
    }
    expect(counts.size).toBe(256);
    expect(Math.max(...counts.values())).toBeLessThan(160);
    expect(Math.min(...counts.values())).toBeGreaterThan(50);
  });
});

test('queues carry their namespace, and lose it again', () => {
  expect(queueName('', 'mail')).toBe('mail');
  expect(queueName('app', 'mail')).toBe('app/mail');
  expect(queueOf('app', 'app/mail')).toBe('mail');
  expect(queueOf('', 'mail')).toBe('mail');
});

test('pauses of a queue and of a task are told apart', () => {
  expect(pauseRecord('app', 'queue', 'x')).not.toEqual(pauseRecord('app', 'task', 'x'));
  expect(pauseRecord('app', 'queue', 'x').partition).toBe(pauseRecord('', 'task', 'y').partition);
});

describe('what can be a name', () => {
  test.each(['', 'a', 'app', 'app.eu-1_x', 'A'.repeat(63)])('namespace %j', (namespace) => {
    expect(checkNamespace(namespace)).toBe(namespace);
  });
  test.each(['-a', '.a', 'a b', 'a/b', 'ä', 'a\n', 'a'.repeat(64)])('no namespace: %j', (namespace) => {
    expect(() => checkNamespace(namespace)).toThrow(expect.objectContaining({ code: 'E_OPTIONS' }));
  });

  test.each(['a', '42', 'order/42', 'Ä ö – 漢字', ' ', '-', 'x'.repeat(256)])('identity %j', (text) => {
    expect(checkIdentity(text, 'id')).toBe(text);
  });
  test.each<[string, unknown]>([
    ['nothing', ''],
    ['too long', 'x'.repeat(257)],
    ['a line break', 'a\nb'],
    ['the separator', 'a\u001fb'],
    ['a nought', 'a\u0000'],
    ['a delete', 'a\u007f'],
    ['a number', 5],
    ['a missing one', undefined],
    ['an object', { length: 3 }],
    ['a list', ['a']],
  ])('no identity: %s', (_name, text) => {
    for (const what of ['id', 'key'] as const)
      expect(() => checkIdentity(text as string, what)).toThrow(
        expect.objectContaining({ code: 'E_ID', message: expect.stringContaining(what) }),
      );
  });
});
