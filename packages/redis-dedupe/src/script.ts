// Script: one atomic compare-and-set in Lua, as the servers know it.

import { createHash } from 'node:crypto';

/** A script: its source, and the name under which a server caches it. */
export interface Script {
  readonly source: string;
  readonly sha: string;
}

/** Makes a script of Lua source; one that `goesOnWhenFull` also runs when the server's memory is out. */
export function script(source: string, goesOnWhenFull = false): Script {
  const whole = goesOnWhenFull ? `#!lua flags=allow-oom\n${source}` : source;
  return { source: whole, sha: createHash('sha1').update(whole).digest('hex') };
}
