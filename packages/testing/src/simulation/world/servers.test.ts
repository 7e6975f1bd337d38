import type { Backend } from '@carillon/core/spi';
import { expect, test } from 'vitest';
import { Chance, type Faults, streamOf } from '../plan/faults.js';
import { planOf, type Shape } from '../plan/plan.js';
import { Incarnation } from './host.js';
import { Servers } from './servers.js';
import { World } from './world.js';

const HOUR_MS = 3_600_000;

function serversWith(faults: Faults, shape: Shape = 'apart') {
  const world = new World(0, streamOf(1, 'world'));
  const chance = new Chance(1, faults);
  const told: string[] = [];
  const servers = new Servers({
    plan: planOf(1, { faults, shape }),
    world,
    chance,
    tell: (happened) =>
      happened.what === 'fault' && told.push(`${happened.fault}${happened.about && ' '}${happened.about}`),
  });
  return { world, chance, servers, told };
}

/** Whether a call is answered within ten seconds. */
async function answers(world: World, call: () => Promise<unknown>): Promise<boolean> {
  let answered = false;
  call().then(
    () => (answered = true),
    () => {},
  );
  await world.runUntil(world.now + 10_000);
  return answered;
}

test.each([
  ['ledger-down', 'ledger'],
  ['broker-down', 'broker'],
] as const)('%s: the server is down for a while, comes back by itself, and goes down again', async (fault, name) => {
  const { world, servers, told } = serversWith({ [fault]: 2 });
  servers.start(['engine-1']);
  let changes = 0;
  let downMs = 0;
  for (let was = false; world.now < 48 * HOUR_MS;) {
    await world.runUntil(world.now + 1000);
    const { isDown } = servers[name];
    if (isDown !== was) changes += 1;
    if (isDown) downMs += 1000;
    was = isDown;
  }
  expect(changes).toBeGreaterThan(20);
  expect(downMs / told.length).toBeLessThan(600_000);
  expect(new Set(told)).toEqual(new Set([fault]));
});

test('partition: one host reaches neither server, the other reaches both, and healing ends it', async () => {
  const { world, chance, servers, told } = serversWith({ partition: 60 });
  const backends: Backend[] = ['engine-1', 'engine-2'].map((host) => servers.backend(new Incarnation(world, host)));
  servers.start(['engine-1']);
  let cut = false;
  for (let tries = 0; tries < 100 && !cut; tries += 1) cut = !(await answers(world, () => backends[0]!.ledger.now()));
  expect(cut).toBe(true);
  expect(told[0]).toBe('partition engine-1');
  expect(await answers(world, () => backends[1]!.ledger.now())).toBe(true);
  chance.heal();
  servers.heal();
  expect(await answers(world, () => backends[0]!.ledger.now())).toBe(true);
  expect(await answers(world, () => backends[0]!.transport.open())).toBe(true);
  const before = told.length;
  await world.runUntil(world.now + 24 * HOUR_MS);
  expect(told).toHaveLength(before);
});

test('a fused store has no broker and no network: the classes of these do nothing', async () => {
  const { world, servers, told } = serversWith({ partition: 10, 'broker-down': 10, retention: 10 }, 'fused');
  servers.start(['engine-1']);
  await world.runUntil(24 * HOUR_MS);
  expect(told).toEqual([]);
});
