import { GatedLedger, memory, VirtualClock } from '@carillon/testing';
import { expect, test } from 'vitest';
import { CarillonError } from '../errors.js';
import type { Change, ChangeAnswer } from '../ports/ledger.js';
import { silentLogger } from '../task/logger.js';
import { Availability } from './availability.js';
import { Commits } from './commits.js';
import { Events } from './events.js';

const unreadable = new CarillonError('E_STORE_VERSION', 'another format', { next: 'start the newer one' });

/** A ledger that throws at every call with a change of the nonce `bad`, or `unreadable`. */
class Picky extends GatedLedger {
  override commit(changes: readonly Change[]) {
    if (changes.some(({ nonce }) => nonce === 'bad')) return Promise.reject(new Error('not this one'));
    if (changes.some(({ nonce }) => nonce === 'unreadable')) return Promise.reject(unreadable);
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
  return new Promise((answered, failed) => commits.commit({ change, answered, failed }));
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

test('B3: a change that meets a record nobody here can read is given up, and holds up no other', async () => {
  const { commits, availability } = setting();
  const [other, bad] = [answer(commits, change('a')), answer(commits, change('unreadable'))];
  await expect(bad).rejects.toBe(unreadable);
  expect(await other).toEqual({ answer: 'ok' });
  expect(availability.isDown).toBe(false);
});
