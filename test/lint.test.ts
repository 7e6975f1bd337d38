// The linter's own test: each rule that this house has of its own refuses a file that breaks it, and lets its lawful
// neighbour pass. The files stand in a folder of the test's, at the paths that the configuration speaks of.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'carillon-lint-'));
const files = new Map<string, string>();
let refusals: readonly { readonly filename: string; readonly code: string }[] = [];

beforeAll(() => {
  cpSync(join(root, '.oxlintrc.json'), join(folder, '.oxlintrc.json'));
  cpSync(join(root, 'script/lint'), join(folder, 'script/lint'), { recursive: true });
  for (const [path, source] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), source);
  }
  const oxlint = join(root, 'node_modules/.bin/oxlint');
  const { stdout } = spawnSync(oxlint, ['--format', 'json', '.'], { cwd: folder, encoding: 'utf8' });
  ({ diagnostics: refusals } = JSON.parse(stdout) as { diagnostics: typeof refusals });
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A file to be linted; answers its path. */
function file(path: string, source: string): string {
  files.set(path, source);
  return path;
}

/** A file in this folder that imports a module; answers its path. */
function importing(within: string, module: string): string {
  return file(`${within}/imports-${module.replaceAll(/\W+/g, '-')}.ts`, `export { it } from '${module}';\n`);
}

/** The rules that refused a file. */
function refusedBy(path: string): readonly string[] {
  return refusals.filter(({ filename }) => filename === path).map(({ code }) => code);
}

const IMPORTS = 'eslint(no-restricted-imports)';
const CORE = 'packages/core/src';
/** What each room of the core may import, beside errors.ts. */
const BELOW: Readonly<Record<string, readonly string[]>> = {
  time: [],
  ports: ['time'],
  retry: ['time'],
  message: ['time', 'ports'],
  task: ['time', 'ports', 'retry', 'message'],
  job: ['time', 'ports', 'retry', 'message', 'task'],
  runtime: ['time', 'ports', 'retry', 'message', 'task', 'job'],
};
const ROOMS = Object.keys(BELOW);
const AMBIENT = ['timers', 'timers/promises', 'perf_hooks', 'crypto', 'process'];

describe.each(ROOMS)('the room %s', (room) => {
  const within = `${CORE}/${room}`;
  const above = ROOMS.filter((other) => other !== room && !BELOW[room]!.includes(other));
  const outside = [...above.map((other) => `../${other}/x.js`), '../carillon.js', '../../../testing/src/index.js'];
  const packages = ['@carillon/core', '@carillon/core/spi', '@carillon/testing', '@carillon/testing/conformance'];
  const ambient = AMBIENT.map((module) => `node:${module}`);

  it.each([...outside, ...packages, ...ambient].map((module) => [module, importing(within, module)]))(
    'does not import %s',
    (_module, path) => expect(refusedBy(path)).toEqual([IMPORTS]),
  );

  const lawful = ['../errors.js', './x.js', 'node:util', ...BELOW[room]!.map((other) => `../${other}/x.js`)];
  it.each(lawful.map((module) => [module, importing(within, module)]))('may import %s', (_module, path) =>
    expect(refusedBy(path)).toEqual([]),
  );
});

describe('the core, outside of its rooms', () => {
  const errors = file(`${CORE}/errors.ts`, "export * from './time/instant.js';\nexport * from 'node:crypto';\n");
  it('errors.ts imports nothing', () => expect(refusedBy(errors)).toEqual([IMPORTS, IMPORTS]));

  it.each([
    ['a type import counts too', file(`${CORE}/time/type.ts`, "export type { Job } from '../job/job.js';\n")],
    ['so does a late one', file(`${CORE}/time/late.ts`, "export const late = () => import('../job/job.js');\n")],
    ['the top imports no package', importing(CORE, '@carillon/embedded')],
    ['the top has its clocks from ports', importing(CORE, 'node:crypto')],
  ])('%s', (_what, path) => expect(refusedBy(path)).toEqual([IMPORTS]));

  it.each([
    ['the top imports every room', importing(CORE, './runtime/engine.js')],
    ['a test looks where it must', file(`${CORE}/time/x.test.ts`, "export * from '@carillon/testing';\n")],
  ])('%s', (_what, path) => expect(refusedBy(path)).toEqual([]));
});

describe('between packages', () => {
  const into = ([name, module]: readonly [string, string]) =>
    [name, module, importing(name === 'test' ? name : `packages/${name}/src`, module)] as const;
  const unlawful: readonly (readonly [string, string])[] = [
    ['decorators', '@carillon/embedded'],
    ['decorators', '@carillon/testing'],
    ['decorators', '../../core/src/index.js'],
    ['embedded', '@carillon/core'],
    ['embedded', '@carillon/decorators'],
    ['embedded', '@carillon/testing'],
    ['embedded', '../../core/src/index.js'],
    ['testing', '@carillon/embedded'],
    ['testing', '@carillon/decorators'],
    ['testing', '../../core/src/index.js'],
    ['test', '../packages/core/src/index.js'],
  ];
  const lawful: readonly (readonly [string, string])[] = [
    ['decorators', '@carillon/core'],
    ['embedded', '@carillon/core/spi'],
    ['testing', '@carillon/core'],
    ['testing', '@carillon/core/spi'],
    ['test', '@carillon/embedded'],
  ];

  it.each(unlawful.map(into))('%s does not import %s', (_name, _module, path) =>
    expect(refusedBy(path)).toEqual([IMPORTS]),
  );
  it.each(lawful.map(into))('%s may import %s', (_name, _module, path) => expect(refusedBy(path)).toEqual([]));

  const circle = [
    file(`${CORE}/job/there.ts`, "export * from './back.js';\n"),
    file(`${CORE}/job/back.ts`, "export * from './there.js';\n"),
  ];
  it('nothing goes round in circles', () => {
    expect(circle.map(refusedBy)).toEqual([['import(no-cycle)'], ['import(no-cycle)']]);
  });

  const bare = importing(`${CORE}/job`, 'crypto');
  it("a module of Node's says so, or the rules above would overlook it", () => {
    expect(refusedBy(bare)).toEqual(['unicorn(prefer-node-protocol)']);
  });
});

describe('engine code has its clocks, timers and randomness from ports', () => {
  const GLOBALS = 'eslint(no-restricted-globals)';
  const PROPERTIES = 'eslint(no-restricted-properties)';
  const DATE = 'carillon(no-ambient-date)';
  const ways: readonly (readonly [string, string])[] = [
    ['setTimeout(String, 1)', GLOBALS],
    ['setInterval(String, 1)', GLOBALS],
    ['setImmediate(String)', GLOBALS],
    ['performance.now()', GLOBALS],
    ['crypto.randomUUID()', GLOBALS],
    ['globalThis.performance', GLOBALS],
    ['global.performance', GLOBALS],
    ['Date.now()', PROPERTIES],
    ["Date['now']()", PROPERTIES],
    ['Math.random()', PROPERTIES],
    ['process.hrtime()', PROPERTIES],
    ['process.uptime()', PROPERTIES],
    ['AbortSignal.timeout(1)', PROPERTIES],
    ['new Date()', DATE],
    ['Date()', DATE],
  ];
  const using = (expression: string, path: string): string => file(path, `export const it = ${expression};\n`);
  const everywhere = [CORE, ...ROOMS.map((room) => `${CORE}/${room}`)];
  const cases = ways.map(([expression, rule], index) => {
    const engine = everywhere.map((within) => using(expression, `${within}/way-${String(index)}.ts`));
    return [expression, rule, engine, using(expression, `${CORE}/job/way-${String(index)}.test.ts`)] as const;
  });

  it.each(cases)('%s is refused everywhere but in a test', (_expression, rule, engine, test) => {
    expect(engine.map(refusedBy)).toEqual(engine.map(() => [rule]));
    expect(refusedBy(test)).toEqual([]);
  });

  const given = using('[new Date(0), clearTimeout, Math.max(1, 2), process.pid]', `${CORE}/job/given.ts`);
  it('what is given may be used', () => expect(refusedBy(given)).toEqual([]));

  const ports = `export * from 'node:crypto';
export * from '../job/job.js';
export const it = [${ways.map(([expression]) => expression).join(', ')}];
`;
  const clock = file(`${CORE}/time/clock.ts`, ports);
  it('the ports themselves are made in clock.ts, which looks no higher than its room either', () =>
    expect(refusedBy(clock)).toEqual([IMPORTS]));
});
