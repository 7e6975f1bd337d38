import { describe, expect, test } from 'vitest';
import { canWaitForDisk, judge, judgeTogether, type Concern, type Seen } from './fitness.js';

const FIT: Seen = {
  name: 'host:6379',
  product: 'Redis',
  version: '7.0.15',
  role: 'master',
  policy: 'noeviction',
  appendOnly: true,
  appendFsync: 'always',
  replicas: 0,
  minReplicas: 0,
  skewMs: 3,
  inCluster: false,
};

function found(over: Partial<Seen>, strict?: { replicas: number }, accept: readonly Concern[] = []): readonly string[] {
  return judge({ ...FIT, ...over }, strict, accept).map(
    ({ concern, refused }) => `${refused ? 'refused' : 'warned'}: ${concern}`,
  );
}

describe('F1: what would lose records silently is refused', () => {
  test('nothing is found about a fit server', () => expect(found({})).toEqual([]));

  const cases: readonly [seen: Partial<Seen>, finding: string][] = [
    [{ version: '6.2.14' }, 'refused: version'],
    [{ product: 'Valkey', version: '7.1.9' }, 'refused: version'],
    [{ role: 'slave' }, 'refused: replica'],
    [{ policy: 'volatile-lru' }, 'refused: eviction'],
    [{ policy: 'allkeys-lfu' }, 'refused: eviction'],
    [{ appendOnly: false, appendFsync: 'everysec' }, 'refused: volatile'],
    [{ appendFsync: 'everysec' }, 'warned: everysec'],
    [{ appendFsync: 'no' }, 'warned: everysec'],
    [{ replicas: 1 }, 'warned: lonely-writes'],
    [{ skewMs: -6_000 }, 'warned: skew'],
    [{ skewMs: 6_000 }, 'warned: skew'],
  ];
  test.each(cases)('%j: %s', (seen, finding) => expect(found(seen)).toContain(finding));

  test('versions are compared by number, part by part', () => {
    for (const version of ['7.0.0', '7.4.1', '8.0.2', '10.0.0']) expect(found({ version })).toEqual([]);
    for (const version of ['7.2.4', '8.0.1', '9.10.0']) expect(found({ product: 'Valkey', version })).toEqual([]);
  });

  test('a concern that is accepted by name is warned of', () => {
    expect(found({ policy: 'volatile-lru' }, undefined, ['eviction'])).toEqual(['warned: eviction']);
    expect(found({ policy: 'volatile-lru' }, undefined, ['volatile'])).toEqual(['refused: eviction']);
  });

  test('what would not work at all can not be accepted', () => {
    expect(found({ role: 'slave' }, undefined, ['replica'])).toEqual(['refused: replica']);
    expect(found({ version: '6.0.0' }, undefined, ['version'])).toEqual(['refused: version']);
  });

  test('a message names the server, the setting, and how to accept it', () => {
    const [finding] = judge({ ...FIT, policy: 'volatile-lru' }, undefined, []);
    expect(finding?.message).toBe(
      'host:6379: maxmemory-policy is volatile-lru, so records vanish when memory is full.',
    );
    expect(finding?.next).toBe("Set noeviction. Or accept it: accept: ['eviction'].");
  });
});

describe('F2: what could not be looked at is unverified', () => {
  test('refused where INFO is forbidden, warned of where only CONFIG is', () => {
    const blind = { version: undefined, role: undefined, policy: undefined, appendOnly: undefined };
    expect(found({ ...blind, appendFsync: undefined })).toEqual(['refused: unverified', 'warned: unverified']);
    expect(found({ ...blind, appendFsync: undefined }, undefined, ['unverified'])).toEqual([
      'warned: unverified',
      'warned: unverified',
    ]);
    expect(found({ appendFsync: undefined, minReplicas: undefined })).toEqual(['warned: unverified']);
  });
});

describe('strict', () => {
  test('is fine with appendfsync always, or where the disk can be waited for', () => {
    expect(found({}, { replicas: 0 })).toEqual([]);
    expect(found({ appendFsync: 'everysec', version: '7.2.0' }, { replicas: 0 })).toEqual([]);
    expect(found({ appendFsync: 'everysec', product: 'Valkey', version: '8.0.1' }, { replicas: 0 })).toEqual([]);
  });

  test('is refused elsewhere', () => {
    expect(found({ appendFsync: 'everysec' }, { replicas: 0 })).toEqual(['refused: strict']);
    expect(found({ appendFsync: undefined }, { replicas: 0 })).toContain('refused: strict');
    expect(found({ appendFsync: 'everysec', version: '7.2.0', inCluster: true }, { replicas: 0 })).toEqual([
      'refused: strict',
    ]);
    expect(found({}, { replicas: 1 })).toEqual(['refused: strict']);
  });

  test('is refused without an append-only file, whatever else is accepted', () => {
    expect(found({ appendOnly: false }, { replicas: 0 }, ['volatile'])).toEqual([
      'warned: volatile',
      'refused: strict',
    ]);
  });

  test('the disk can be waited for from 7.2 on, with an append-only file', () => {
    expect(canWaitForDisk({ ...FIT, version: '7.2.0' })).toBe(true);
    expect(canWaitForDisk({ ...FIT, version: '7.0.15' })).toBe(false);
    expect(canWaitForDisk({ ...FIT, version: '7.2.0', appendOnly: false })).toBe(false);
  });
});

test('clocks of servers that are apart are found, also where each is near to this host', () => {
  const skews = (...skews: number[]) => judgeTogether(skews.map((skewMs) => ({ ...FIT, skewMs })));
  expect(skews(-2_000, 3_000)).toEqual([]);
  expect(skews(-3_000, 0, 3_000)).toMatchObject([{ concern: 'skew', refused: false }]);
});
