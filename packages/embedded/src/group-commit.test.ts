import { CarillonError } from '@carillon/core/spi';
import { expect, test } from 'vitest';
import { GroupCommit, PHASE } from './group-commit.js';

/** A group commit over nothing, and what each batch ran. */
function groupCommit(): { writer: GroupCommit; batches: string[][]; log: (name: string) => () => string } {
  const batches: string[][] = [];
  const writer = new GroupCommit({
    transact(steps) {
      batches.push([]);
      steps();
    },
    committed() {},
    soon: (wake) => void setImmediate(wake),
  });
  const log = (name: string) => () => {
    batches.at(-1)?.push(name);
    return name;
  };
  return { writer, batches, log };
}

test('B1: what is asked for in one moment is one batch, commits first and receives last', async () => {
  const { writer, batches, log } = groupCommit();
  const receive = writer.request(PHASE.receive, 100, false, log('receive'));
  const commit = writer.request(PHASE.commit, 1, true, log('commit'));
  expect(await Promise.all([receive, commit])).toEqual(['receive', 'commit']);
  expect(batches).toEqual([['commit', 'receive']]);
});

test('B4: a stream of commits keeps no receive out, however many it asks for', async () => {
  const { writer, batches, log } = groupCommit();
  const commits = Array.from({ length: 3 }, () => writer.request(PHASE.commit, 500, true, log('commit')));
  await Promise.all([...commits, writer.request(PHASE.receive, 1000, false, log('receive'))]);
  expect(batches[0]).toEqual(['commit', 'commit', 'receive']);
});

const unreadable = new CarillonError('E_STORE_VERSION', 'no', { next: 'start the newer one' });

test.each([new RangeError('no'), unreadable])('B3: work that throws is refused alone: %s', async (error) => {
  const { writer, log } = groupCommit();
  const bad = writer.request(PHASE.commit, 1, true, () => {
    throw error;
  });
  const good = writer.request(PHASE.commit, 1, true, log('good'));
  await expect(bad).rejects.toThrow('no');
  expect(await good).toBe('good');
});
