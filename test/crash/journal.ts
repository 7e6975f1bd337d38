// Journal: what handlers did, in a file that they append to and that outlives them: the world outside of the store.

import { appendFileSync, closeSync, existsSync, fsyncSync, openSync, readFileSync } from 'node:fs';
import type { Attempt } from '@carillon/core';

/** Something that a handler did. */
export interface Entry {
  readonly what: 'start' | 'effect';
  readonly worker: string;
  readonly idempotencyKey: string;
  readonly fencingToken: number;
  readonly attempt: number;
}

/** Appends one entry; it is on disk when this returns. */
export function write(path: string, what: Entry['what'], worker: string, attempt: Attempt): void {
  const { idempotencyKey, fencingToken, number } = attempt;
  const entry: Entry = { what, worker, idempotencyKey, fencingToken, attempt: number };
  const file = openSync(path, 'a');
  appendFileSync(file, `${JSON.stringify(entry)}\n`);
  fsyncSync(file);
  closeSync(file);
}

/** Every entry, oldest first. */
export function entries(path: string): readonly Entry[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as Entry);
}
