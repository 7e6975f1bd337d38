// The README's first program is run as it stands there; the second is quoted from an example.

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

/** The n-th TypeScript block of the README. */
function block(number: number): string {
  const blocks = readFileSync(join(root, 'README.md'), 'utf8').matchAll(/```ts\n([\s\S]*?)```/g);
  const found = [...blocks][number]?.[1];
  if (found === undefined) throw new Error(`The README has no TypeScript block ${String(number)}.`);
  return found;
}

/** Runs a program from the README; its store goes into a folder of the test's. */
async function run(name: string, source: string): Promise<Record<string, unknown>> {
  mkdirSync(programs, { recursive: true });
  const file = join(programs, name);
  writeFileSync(file, source.replaceAll("'./data'", JSON.stringify(folder)));
  return (await import(file)) as Record<string, unknown>;
}

it('the first program schedules two jobs and runs the one that is due', async () => {
  const closed = vi.spyOn(console, 'log').mockImplementation(() => {});
  const first = block(0);
  const program = `${first}\nawait carillon.result(CloseUnpaidOrder, { key: 'o-43' });
export const waiting = await carillon.list({ task: CloseUnpaidOrder, states: ['scheduled'] });
await carillon.stop();`;
  const { waiting } = await run('program.ts', program);
  expect(closed.mock.calls).toEqual([['o-43 is closed unless it was paid']]);
  expect(waiting).toMatchObject({ jobs: [{ payload: { orderId: 'o-42' }, state: 'scheduled' }] });

  closed.mockRestore();
});

it('the second is quoted from the example, which is run as a test of its own', () => {
  const example = readFileSync(join(root, 'examples/order-timeout/src/order-timeout.test.ts'), 'utf8');
  expect(example).toContain(block(1));
});
