// How the tests run: in one go, from source. A package finds the source of another through the export condition
// `@carillon/source`, so no unit test waits for a build; `system` tests start processes that run built files, so each
// file of them builds first, and they run one file at a time. So do `e2e` tests, which need real servers besides.

import { defineConfig } from 'vitest/config';

const exclude = ['**/node_modules/**', '**/dist/**', '**/*.fixture.test.ts'];

export default defineConfig({
  oxc: { target: 'es2023', decorator: { legacy: true, emitDecoratorMetadata: true } },
  ssr: { resolve: { conditions: ['@carillon/source', 'module', 'node', 'development|production'] } },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'examples/*/src/**/*.test.ts', 'bench/src/**/*.test.ts'],
          exclude,
          testTimeout: 30_000, // for what hangs: a busy machine may take some seconds
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'system',
          include: ['test/**/*.test.ts'],
          exclude: [...exclude, 'test/e2e/**'],
          setupFiles: './test/build.ts',
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts', 'services/src/**/*.test.ts'],
          exclude,
          setupFiles: './test/build.ts',
          testTimeout: 180_000,
          hookTimeout: 180_000,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
