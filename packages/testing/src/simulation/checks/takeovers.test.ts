import { expect, test } from 'vitest';
import { Story } from './story.fixture.test.js';
import { takeovers } from './takeovers.js';

async function takenOver(meanwhile: (story: Story) => void): Promise<readonly string[]> {
  const story = new Story(takeovers);
  story.tell({ what: 'host', host: 'engine-1', change: 'started', version: 2 });
  story.write('a');
  story.grant('a');
  await story.pass(20_000);
  meanwhile(story);
  await story.pass(10_000);
  story.grant('a', 'engine-2');
  return story.end();
}

test('T1: a job that is taken from a process that lives and is answered is seen', async () => {
  expect(await takenOver(() => {})).toEqual([expect.stringContaining('taken over from engine-1.1')]);
});

test.each(['crashed', 'paused', 'stopping'] as const)('T1: from one that has %s is in order', async (change) => {
  expect(await takenOver((story) => story.tell({ what: 'host', host: 'engine-1', change, version: 2 }))).toEqual([]);
});

test('T1: from one out of reach of the ledger is in order', async () => {
  const request = { what: 'request', host: 'engine-1', to: 'ledger', name: 'renew', served: false } as const;
  expect(await takenOver((story) => story.tell(request))).toEqual([]);
  expect(await takenOver((story) => story.tell({ ...request, to: 'broker' }))).toHaveLength(1);
});

test.each([true, false])(
  'T1: a lease that a call brought too late may be taken up soon after its end (slow: %s)',
  async (slow) => {
    const story = new Story(takeovers);
    story.tell({ what: 'host', host: 'engine-1', change: 'started', version: 2 });
    story.write('a');
    story.grant('a');
    await story.pass(10_000);
    if (slow) story.tell({ what: 'fault', host: 'engine-1', fault: 'slow', about: 'renew' });
    await story.pass(20_000);
    story.write('a', { lease: { ...story.record('a')!.lease!, until: story.now + 30_000 } });
    await story.pass(34_000);
    story.grant('a', 'engine-2');
    expect(story.end()).toHaveLength(slow ? 0 : 1);
  },
);

test('T1: a lease that nobody took up when it ended is left alone: nobody knows what was wrong then', async () => {
  const story = new Story(takeovers);
  story.tell({ what: 'host', host: 'engine-1', change: 'started', version: 2 });
  story.write('a');
  story.grant('a');
  await story.pass(60_000);
  story.grant('a', 'engine-2');
  expect(story.end()).toEqual([]);
});

test('a job of which the ledger forgot a write is exempt', async () => {
  expect(await takenOver((story) => story.forget('a'))).toEqual([]);
});

test.each([
  ['renewal that was not heard excuses a lost lease: it may have been served', 'renew', false, 0],
  ['claim does not: it is asked again, and brings what was granted', 'acquire', false, 1],
  ['claim does if the record was edited meanwhile: the repetition is stale (T2)', 'acquire', true, 0],
] as const)('T1: a %s', async (_, name, edited, found) => {
  const story = new Story(takeovers);
  story.tell({ what: 'host', host: 'engine-1', change: 'started', version: 2 });
  story.write('a');
  story.grant('a');
  story.tell({ what: 'request', host: 'engine-1', to: 'ledger', name, served: false });
  if (edited)
    story.write('a', { generation: story.record('a')!.generation + 1, lease: story.record('a')!.lease }, 'shop');
  await story.pass(30_000);
  story.grant('a', 'engine-2');
  expect(story.end()).toHaveLength(found);
});
