// Effects: what handlers did, in a file that they append to and that outlives them: the world outside of the engine.

import { appendFileSync, existsSync, readFileSync } from 'node:fs';

/** Something that happened to an occurrence in one life of a replica. */
export interface Effect {
  /** Its handler began, or had its effect; or its worker was told that it holds it no more. */
  readonly what: 'start' | 'effect' | 'lost';
  readonly life: string;
  readonly idempotencyKey: string;
  readonly fencingToken: number;
  readonly schedule: string;
  readonly slot: number;
  readonly at: number;
}

/** Appends a line; a killed process has written it whole or not at all. */
export function write(path: string, effect: Effect): void {
  appendFileSync(path, `${JSON.stringify(effect)}\n`);
}

/** Every line, oldest first. */
export function effects(path: string): readonly Effect[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as Effect);
}
