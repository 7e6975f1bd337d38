import { GatedLedger, memory, VirtualClock } from '@carillon/testing';
import { expect, test } from 'vitest';
import type { Change, ChangeAnswer } from '../ports/ledger.js';
import { silentLogger } from '../task/logger.js';
import { Availability } from './availability.js';
import { Commits } from './commits.js';
import { Events } from './events.js';

/** A ledger that throws at every call with a change of the nonce `bad`. */
class Picky extends GatedLedger {
  override commit(changes: readonly Change[]) {
    if (changes.some(({ nonce }) => nonce === 'bad')) return Promise.reject(new Error('not this one'));
    return super.commit(changes);
  }
}

function setting() {
  const clock = new VirtualClock();
  const ledger = new Picky(memory({ clock }).ledger);
  const random = { next: () => 1 };
  const events = new Events(silentLogger);
  const availability = new Availability({ clock, random, log: silentLogger, events, probe: () => ledger.now() });
  return { clock, ledger, availability, commits: new Commits(ledger, availability) };
}

function change(nonce: string, id = nonce): Change {
  const content = { generation: 1, queue: 'q', task: 't', state: 's', dueAt: 0, wakeAt: 0, expiresAt: undefined };
  const key = { kind: 'job', id, partition: '00' };
  const whole = { ...content, durableGrant: false, body: '{}', outbox: [] };
  return { nonce, writes: [{ do: 'put', key, expect: { absent: true }, content: whole }], durable: true };
}

function answer(commits: Commits, change: Change): Promise<ChangeAnswer | undefined> {
  return new Promise((answered) => commits.commit({ change, answered }));
}

test('B1: what is decided in one moment is one call, and each change has its own answer', async () => {
  const { commits, ledger } = setting();
  const answers = await Promise.all([change('a'), change('b'), change('c', 'a')].map((one) => answer(commits, one)));
  expect(answers.map((one) => one?.answer)).toEqual(['ok', 'ok', 'conflict']);
  expect(ledger.calls('commit')).toBe(1);
});

test('B2: a change that the ledger does not take holds up no other, and is given up with the engine', async () => {
  const { commits, clock, availability } = setting();
  const answers: unknown[] = [];
  const others = ['a', 'b'].map((nonce) => answer(commits, change(nonce)).then((one) => answers.push(one?.answer)));
  const bad = answer(commits, change('bad'));
  await clock.advance(1_000);
  await Promise.all(others);
  expect(answers).toEqual(['ok', 'ok']);
  availability.abandon();
  await clock.advance(60_000);
  expect(await bad).toBeUndefined();
});
