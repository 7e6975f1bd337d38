// For missing-server.test.ts: runs nothing but its fixture, with this repository's way to find packages.

import { defineConfig } from 'vitest/config';

export default defineConfig({
  ssr: { resolve: { conditions: ['@carillon/source', 'module', 'node', 'development|production'] } },
  test: { include: ['test/e2e/missing-server.fixture.test.ts'] },
});
