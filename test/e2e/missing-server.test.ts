// What becomes of a suite whose server is missing, seen from outside: Vitest runs one in a process of its own.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');

/** Runs the suite that needs a Valkey where no program is found. */
function run(required: string): { readonly status: number | null; readonly output: string } {
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const config = join(import.meta.dirname, 'missing-server.config.ts');
  const { status, stdout, stderr } = spawnSync(process.execPath, [vitest, 'run', '--config', config], {
    cwd: root,
    encoding: 'utf8',
    env: { PATH: '', NO_COLOR: '1', CARILLON_REQUIRE: required },
  });
  return { status, output: stdout + stderr };
}

test('R1: it is skipped, and says why', () => {
  const { status, output } = run('redis');
  expect(output).toContain('Skipped: needs a Valkey: no valkey: this machine lacks valkey-server.');
  expect(output).toMatch(/Tests\s+1 skipped/);
  expect(status).toBe(0);
});

test('R1: it fails if it is required', () => {
  const { status, output } = run('redis,valkey');
  expect(output).toContain('no valkey: this machine lacks valkey-server. CARILLON_REQUIRE says that it must be there.');
  expect(output).toMatch(/Tests\s+1 failed/);
  expect(status).toBe(1);
});
