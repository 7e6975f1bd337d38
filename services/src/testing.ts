// Testing: suites that need a real server (`@carillon/services/testing`, for Vitest).

import { describe, test } from 'vitest';
import type { Environment } from './command/catalog.js';
import { find } from './requirement.js';
import type { Need } from './requirement.js';

/**
 * A suite that needs real servers: `describeWith(['redis'], 'the ledger', ({ REDIS_URL }) => …)`. One that is missing
 * skips the suite with a printed reason, or fails it if `CARILLON_REQUIRE` names it.
 */
export function describeWith(needs: readonly Need[], title: string, body: (environment: Environment) => void): void {
  const findings = needs.map((need) => find(need));
  const missing = findings.flatMap((finding) => (finding.found ? [] : [finding]));
  if (missing.length === 0) {
    const environment = Object.assign(
      {},
      ...findings.map((finding) => finding.found && finding.environment),
    ) as Environment;
    describe(title, () => body(environment));
    return;
  }
  const reason = missing.map((one) => one.reason).join('; ');
  if (missing.some(({ required }) => required)) {
    describe(title, () => {
      test('finds its servers', () => {
        throw new Error(`${reason}. CARILLON_REQUIRE says that it must be there.`);
      });
    });
    return;
  }
  console.warn(`Skipped: ${title}: ${reason}.`);
  describe.skip(`${title} (${reason})`, () => body({}));
}
