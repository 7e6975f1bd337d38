// Failure table: what a crash at each point of a delivery's way leads to, row by row: the table of the guarantees.
// `2s 1e D` reads: two handler starts, one effect, done; F is set aside as indeterminate.
//
// F1  Outcomes are those of the table, and the attempts that are listed tell the same story.
// F2  Every attempt has the same idempotency key and a higher fencing token.
// F3  Nothing is left that could run again: no open record, no message.
// F4  As one, the store ends the leases of a dead process at once: those of 30 s here would outlast the tests' patience.

import { describe, expect, it } from 'vitest';
import type { Child } from './child.js';
import type { Fault } from './crash-point.js';
import { Scene } from './scene.js';
import type { Servers, Store } from './store.js';
import { type Policy, tasks } from './tasks.js';

/** A committed effect fares as a transactional one. */
type Column = Exclude<Policy, 'committed'>;

interface Row {
  readonly name: string;
  readonly fault: Fault;
  readonly outcome: Readonly<Record<Column, string>>;
  /** It has a place only where messages and records are apart. */
  readonly apart?: true;
  /** How the attempts are listed, oldest first. */
  readonly attempts: Readonly<Record<Column, readonly string[]>>;
  /** Where the lease must run out before anybody else comes: nobody knows the worker to be dead, or it is not. */
  readonly outlasts?: 'apart' | 'everywhere';
}

const once = { retry: '1s 1e D', 'never-again': '1s 1e D', transactional: '1s 1e D' };
const undisturbed = { retry: ['done'], 'never-again': ['done'], transactional: ['done'] };
const repeated = ['interrupted', 'done'];
const interrupted = { retry: repeated, 'never-again': ['interrupted'], transactional: repeated };

const rows: readonly Row[] = [
  {
    name: 'before receive',
    fault: { at: 'before receive', is: 'killed' },
    apart: true,
    outcome: once,
    attempts: undisturbed,
  },
  { name: 'before claim', fault: { at: 'before claim', is: 'killed' }, outcome: once, attempts: undisturbed },
  {
    name: 'claim applied, reply lost, re-sent',
    fault: { at: 'after claim', is: 'lost' },
    apart: true,
    outcome: once,
    attempts: undisturbed,
  },
  {
    name: 'after claim, before handler',
    fault: { at: 'after claim', is: 'killed' },
    outcome: { retry: '1s 1e D', 'never-again': '0s 0e F', transactional: '1s 1e D' },
    attempts: interrupted,
    outlasts: 'apart',
  },
  {
    name: 'mid-handler, before effect',
    fault: { at: 'before effect', is: 'killed' },
    outcome: { retry: '2s 1e D', 'never-again': '1s 0e F', transactional: '2s 1e D' },
    attempts: interrupted,
    outlasts: 'apart',
  },
  {
    name: 'after effect, before finish',
    fault: { at: 'before finish', is: 'killed' },
    outcome: { retry: '2s 2e D', 'never-again': '1s 1e F', transactional: '2s 1e D' },
    attempts: interrupted,
    outlasts: 'apart',
  },
  {
    name: 'finish applied, reply lost',
    fault: { at: 'after finish', is: 'lost' },
    outcome: once,
    attempts: undisturbed,
  },
  {
    name: 'finish applied, crash',
    fault: { at: 'after finish', is: 'killed' },
    outcome: once,
    attempts: undisturbed,
  },
  { name: 'crash before ack', fault: { at: 'before ack', is: 'killed' }, outcome: once, attempts: undisturbed },
  {
    name: 'ack lost',
    fault: { at: 'before ack', is: 'lost' },
    apart: true,
    outcome: once,
    attempts: undisturbed,
    outlasts: 'apart',
  },
  {
    name: 'pause of three leases, second copy runs, zombie writes later',
    fault: { at: 'before effect', is: 'stopped' },
    outcome: { retry: '2s 2e D', 'never-again': '1s 1e F', transactional: '2s 1e D' },
    attempts: interrupted,
    outlasts: 'everywhere',
  },
];

/** Declares the rows of the table that have a place on a store, as tests of a policy. */
export function failureTable(store: Store, policy: Policy, servers: () => Servers = () => ({})): void {
  describe.concurrent(`${store}, ${policy}`, () => {
    for (const row of rows.filter(({ apart }) => apart === undefined || store !== 'fused')) {
      it(`${row.name}: ${row.outcome[columnOf(policy)]}`, () => play(store, policy, row, servers()));
    }
  });
}

async function play(store: Store, policy: Policy, row: Row, servers: Servers): Promise<void> {
  const { fault, outcome, attempts, outlasts } = row;
  await using scene = new Scene(store, servers);
  const { id } = await scene.carillon.schedule(tasks[policy], { pauseMs: 0 });
  const victim = scene.worker({
    lease: outlasts === 'everywhere' || (outlasts === 'apart' && store !== 'fused') ? '2s' : '30s',
    fault,
  });
  await hasBefallen(victim, fault);

  const heir = scene.worker({ lease: '30s' });
  const threeLeases = fault.is === 'stopped' && scene.passes(6_000);
  const job = await scene.settled(policy, id);
  await threeLeases;
  if (store !== 'fused') await Promise.any([victim.told('after ack'), heir.told('after ack')]);
  if (fault.is === 'stopped') {
    expect(scene.resume(victim)).toBe('T');
    await victim.told(policy === 'transactional' ? 'after effect' : 'before finish'); // its heartbeat has had time to notice
    await victim.told('lost its lease');
  }
  await Promise.all((fault.is === 'killed' ? [heir] : [heir, victim]).map((worker) => worker.stop()));

  if (fault.is === 'stopped') expect(victim.news).not.toContainEqual({ is: 'after finish' }); // refused by the fence
  const journal = scene.journal();
  const starts = journal.filter(({ what }) => what === 'start');
  const journalled = journal.filter(({ what }) => what === 'effect').length;
  const effects = (await scene.effects(policy, id)) ?? journalled;
  const end = { done: 'D', indeterminate: 'F' }[job.state as string] ?? job.state;
  expect(`${starts.length}s ${effects}e ${end}`).toBe(outcome[columnOf(policy)]); // F1
  expect(await scene.carillon.get(tasks[policy], { id })).toEqual(job); // nobody touched it after it was settled
  expect(job.attempts.map((attempt) => attempt.outcome)).toEqual(attempts[columnOf(policy)]); // F1
  expect(journal.every(({ idempotencyKey }) => idempotencyKey === id)).toBe(true); // F2
  const tokens = starts.map(({ fencingToken }) => fencingToken);
  expect(tokens).toEqual([...new Set(tokens)].toSorted((a, b) => a - b)); // F2
  expect(await scene.leftovers()).toBe(0); // F3
}

function columnOf(policy: Policy): Column {
  return policy === 'committed' ? 'transactional' : policy;
}

async function hasBefallen(victim: Child, fault: Fault): Promise<void> {
  if (fault.is === 'killed') expect(await victim.ended).toBe('SIGKILL');
  else if (fault.is === 'stopped') await victim.told('stopping');
  else await victim.told(fault.at);
}
