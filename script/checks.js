// Every check of the repository, one after the other, each with its duration (`npm run verify`, `./script/test`).
// What `CARILLON_REQUIRE` names is installed if it is missing and this is CI, and the servers that tests share are started
// for the tests and stopped at the end. The last line is "N passed, N failed": the tests, and one failure for each other check that failed.

import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const bin = join(root, 'node_modules', '.bin');
const report = join(tmpdir(), `carillon-vitest-${process.pid}.json`);
const packages = readdirSync(join(root, 'packages')).map((name) => join('packages', name));

/** Runs a command in the repository; its output is shown at the end if it failed, or as it comes if `live`. */
function run(command, { cwd = '.', live = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, {
      cwd: join(root, cwd),
      env: { ...process.env, PATH: `${bin}:${process.env.PATH}` },
      shell: true,
      stdio: live ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout?.on('data', (chunk) => (output += chunk));
    child.stderr?.on('data', (chunk) => (output += chunk));
    child.on('error', reject);
    child.on('close', (code) => resolve({ ok: code === 0, output }));
  });
}

/** Runs a check that counts as one failure if it fails, and as nothing if it passes. */
async function check(command, options) {
  const { ok, output } = await run(command, options);
  if (!ok) console.log(`\n$ ${command}\n${output}`);
  return { ok, passed: 0, failed: ok ? 0 : 1 };
}

/** Runs all tests; a run that fails without a failed test (a broken file, an unhandled error) counts as one failure. */
async function tests() {
  rmSync(report, { force: true });
  const { ok } = await run(`vitest run --reporter=default --reporter=json --outputFile.json="${report}"`, {
    live: true,
  });
  try {
    const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(readFileSync(report, 'utf8'));
    if (numPendingTests > 0)
      console.log(`${numPendingTests} tests were skipped; each says why above or in its suite's exceptions.`);
    return { ok, passed: numPassedTests, failed: ok ? 0 : Math.max(1, numFailedTests) };
  } catch (error) {
    console.log(`No report of the tests: ${error.message}`);
    return { ok: false, passed: 0, failed: 1 };
  } finally {
    rmSync(report, { force: true });
  }
}

const required = (process.env.CARILLON_REQUIRE ?? '').split(',').filter(Boolean);
const shared = required.filter((name) => ['rocketmq', 'redis'].includes(name)); // of the others each test starts its own
const command = join(root, 'services', 'dist', 'command', 'main.js');

/** Gets what is required, and starts the shared servers; what was not started here is not stopped here. */
async function services() {
  if (process.env.CI) {
    const installed = await check(`node ${command} install ${required.join(' ')}`);
    if (!installed.ok) return installed;
  }
  if (shared.length === 0) return { ok: true, passed: 0, failed: 0 };
  const { status, stdout, stderr } = spawnSync('node', [command, 'start', ...shared, '--json'], { encoding: 'utf8' });
  const started = JSON.parse(stdout || '[]')
    .filter(({ state }) => state === 'started')
    .map(({ name }) => name);
  if (started.length > 0) process.once('exit', () => spawnSync('node', [command, 'stop', ...started]));
  if (status !== 0) console.log(stderr);
  return { ok: status === 0, passed: 0, failed: status === 0 ? 0 : 1 };
}

for (const [signal, status] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
]) {
  process.once(signal, () => process.exit(status)); // what was started is stopped in an 'exit' handler
}

const steps = [
  ['format', () => check('oxfmt --check .')],
  ['lint', () => check('oxlint --type-aware --deny-warnings')],
  ['build and types', () => check('tsc -b')],
  ...(required.length > 0 ? [['services', services]] : []),
  ['tests', tests],
  ...packages.flatMap((cwd) => [
    [`publint ${cwd}`, () => check('publint --strict', { cwd })],
    [`types of ${cwd}`, () => check('attw --pack . --profile esm-only', { cwd })],
  ]),
  ['knip', () => check('knip')],
];

let passed = 0;
let failed = 0;
for (const [name, step] of steps) {
  const start = performance.now();
  const outcome = await step();
  passed += outcome.passed;
  failed += outcome.failed;
  console.log(`${outcome.ok ? 'ok    ' : 'FAILED'} ${name} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
}
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
