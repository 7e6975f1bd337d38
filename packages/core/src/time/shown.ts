// Shown: how a value that was refused looks in the error that refuses it.

import { inspect } from 'node:util';

/** The value on one line, as code would spell it; long texts and deep values are cut. */
export function shown(value: unknown): string {
  return inspect(value, { depth: 0, maxStringLength: 64, breakLength: Infinity, customInspect: false });
}
