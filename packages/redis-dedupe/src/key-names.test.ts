import { expect, test } from 'vitest';
import { bucketOf, KeyNames } from './key-names.js';

const names = new KeyNames('shop');

test('K1: a record and its indexes are in one bucket; core’s 256 partitions are 256 buckets', () => {
  const partitions = Array.from({ length: 256 }, (_, n) => n.toString(16).padStart(2, '0'));
  expect(new Set(partitions.map(bucketOf)).size).toBe(256);
  for (const partition of [...partitions, 'pause', 'ä', '']) {
    const key = names.record({ kind: 'job', id: 'a', partition });
    const bucket = bucketOf(partition);
    expect(names.bucket(key)).toBe(bucket);
    expect(key.toString('latin1').startsWith(`shop{${bucket.toString(16).padStart(2, '0')}}`)).toBe(true);
    expect(names.index(bucket, 'd', 'q').toString()).toBe(`${names.bases[bucket]!.toString()}:dq`);
  }
});

test('K2: a key is a hash of the whole identity, and says nothing of it', () => {
  const keys = [
    { kind: 'job', id: 'ada@example.com', partition: '0a' },
    { kind: 'key', id: 'ada@example.com', partition: '0a' },
    { kind: 'job', id: 'bob@example.com', partition: '0a' },
    { kind: 'job', id: 'ada@example.com', partition: '0b' },
  ].map((key) => names.record(key));
  expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(4);
  for (const key of keys) {
    expect(key.length).toBe('shop{0a}'.length + 16);
    expect(key.includes('ada')).toBe(false);
  }
});
