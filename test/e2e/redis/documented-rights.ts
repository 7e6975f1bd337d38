// Documented rights: what the README gives a ledger's user, as it stands there.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const readme = readFileSync(join(import.meta.dirname, '../../../packages/redis-dedupe/README.md'), 'utf8');

/** The words of the documented `ACL SETUSER`, for keys that begin with `test-`. */
export const documentedRights: readonly string[] =
  /ACL SETUSER carillon (.*)/.exec(readme)?.[1]?.replace('~shop{*', '~test-*').split(' ') ?? [];

/** What the README adds for a Cluster. */
export const rightsOnCluster: readonly string[] = /a Cluster for `([^`]*)`/.exec(readme)?.[1]?.split(' ') ?? [];
