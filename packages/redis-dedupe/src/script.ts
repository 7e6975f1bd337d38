// Script: one atomic compare-and-set in Lua, as the servers know it.

import { createHash } from 'node:crypto';
import { SERVER_TIME } from './scripts/record.js';

/** A script: its source, and the name under which a server caches it. */
export interface Script {
  readonly source: string;
  readonly sha: string;
  /** The same script, with the time in ms as its last argument instead of the server's own. */
  readonly inGivenTime: Omit<Script, 'inGivenTime'>;
}

const GIVEN_TIME = 'local us = tonumber(table.remove(ARGV)) * 1000';

/** Makes a script of Lua source; one that `goesOnWhenFull` also runs when the server's memory is out. */
export function script(source: string, goesOnWhenFull = false): Script {
  const whole = goesOnWhenFull ? `#!lua flags=allow-oom\n${source}` : source;
  return { ...named(whole), inGivenTime: named(whole.replace(SERVER_TIME, GIVEN_TIME)) };
}

function named(source: string): { source: string; sha: string } {
  return { source, sha: createHash('sha1').update(source).digest('hex') };
}
