// The programs of the READMEs are run as they stand there; the root's second one is quoted from an example. The one for
// RocketMQ and Redis is made, which asks no server; what then happens on real ones is in test/e2e.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';

const root = join(import.meta.dirname, '..');
const programs = join(import.meta.dirname, '.readme');
const folder = mkdtempSync(join(tmpdir(), 'carillon-readme-'));

afterEach(() => {
  rmSync(programs, { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
});

/** The n-th TypeScript block of a README. */
function block(number: number, readme = 'README.md'): string {
  const blocks = readFileSync(join(root, readme), 'utf8').matchAll(/```ts\n([\s\S]*?)```/g);
  const found = [...blocks][number]?.[1];
  if (found === undefined) throw new Error(`${readme} has no TypeScript block ${String(number)}.`);
  return found;
}

/** Runs a program from a README; its store goes into a folder of the test's. */
async function run(name: string, source: string): Promise<Record<string, unknown>> {
  mkdirSync(programs, { recursive: true });
  const file = join(programs, name);
  writeFileSync(file, source.replaceAll("'./data'", JSON.stringify(folder)));
  return (await import(file)) as Record<string, unknown>;
}

it('the first program is about ten lines, and schedules a job that waits and then runs', async () => {
  const closed = vi.spyOn(console, 'log').mockImplementation(() => {});
  const first = block(0);
  expect(first.split('\n').filter((line) => line !== '').length).toBeLessThan(12);
  const { waiting } = await run(
    'program.ts',
    `${first}
export const [waiting] = (await carillon.list()).jobs;
await carillon.reschedule(CloseUnpaidOrder, { id: waiting.id }, { in: '0s' });
await carillon.result(CloseUnpaidOrder, { id: waiting.id });
await carillon.stop();`,
  );
  const { placedAt, dueAt } = waiting as { placedAt: Date; dueAt: Date };
  expect(waiting).toMatchObject({ payload: { orderId: 'o-42' }, state: 'scheduled' });
  expect(dueAt.getTime() - placedAt.getTime()).toBe(30 * 60_000);
  expect(closed.mock.calls).toEqual([['o-42 is closed unless it was paid']]);
  closed.mockRestore();
});

it('the second is quoted from the example, which is run as a test of its own', () => {
  const example = readFileSync(join(root, 'examples/order-timeout/src/order-timeout.test.ts'), 'utf8');
  expect(example).toContain(block(1));
});

it('the third puts its schedules in place, and runs each slot that is no holiday, in virtual time', async () => {
  const printed = vi.spyOn(console, 'log').mockImplementation(() => {});
  const program = block(2);
  const inVirtualTime = program.replace("backend: embedded('./data'),", 'backend: memoryStore({ clock }), clock,');
  expect(inVirtualTime).not.toBe(program);
  const { standing } = await run(
    'schedules.ts',
    `import { memoryStore, VirtualClock } from '@carillon/testing';
const clock = new VirtualClock(Date.parse('2027-03-25T06:00:00Z'));
${inVirtualTime}
await clock.advance(3 * 86_400_000); // Thursday, Good Friday, the weekend
export const standing = (await carillon.schedules.list()).schedules.map(({ id, state }) => [id, state]);
await carillon.stop();`,
  );
  expect(standing).toEqual([
    ['digest:t-7', 'active'],
    ['reports.daily', 'active'],
  ]);
  const lines = printed.mock.calls.flat();
  expect(lines).toHaveLength(4);
  expect(lines.filter((line) => line !== 'a digest for t-7')).toEqual(['the report of 2027-03-25T08:00:00.000Z']);
  printed.mockRestore();
});

it('the fourth is made of what there is, for a broker and a Redis', async () => {
  const program = block(3);
  const unstarted = program.replace(/^await carillon\.start\(\);.*$/m, '');
  expect(unstarted).not.toBe(program);
  const { carillon } = await run('production.ts', `const tasks = [];\n${unstarted}\nexport { carillon };`);
  await (carillon as { stop(): Promise<void> }).stop();
});

it("the decorators' program, in virtual time, beside a service of the shop", async () => {
  const program = block(0, 'packages/decorators/README.md');
  const inVirtualTime = program.replace("backend: embedded('./data'),", 'backend: memoryStore({ clock }), clock,');
  expect(inVirtualTime).not.toBe(program);
  const { states } = await run(
    'decorators.ts',
    `import { memoryStore, VirtualClock } from '@carillon/testing';
const clock = new VirtualClock();
const closed = [];
class Orders {
  async closeIfUnpaid(orderId, { idempotencyKey, signal }) {
    closed.push([orderId, idempotencyKey.length > 0, signal.aborted]);
  }
  async total(day) {
    return \`total of \${day}\`;
  }
}
${inVirtualTime}
const state = async () => ({
  closed: [...closed],
  results: (await carillon.list({ task: methodTask(Reports, 'daily') })).jobs.map(({ result }) => result),
});
export const states = [];
for (const ms of [5 * 60_000, 25 * 60_000 - 1, 1]) {
  await clock.advance(ms);
  states.push(await state());
}
await carillon.stop();`,
  );
  const results = ['total of 2026-03-29'];
  expect(states).toEqual([
    { closed: [], results },
    { closed: [], results },
    { closed: [['o-42', true, false]], results },
  ]);
});
