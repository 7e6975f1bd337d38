// Cursor: a place in a list as text.

import { CarillonError } from '@carillon/core/spi';

type Part = string | number;

/** Writes a cursor. */
export function writeCursor(parts: readonly Part[]): string {
  return JSON.stringify(parts);
}

/** Reads a cursor with parts like those of `start`, or answers `start` without one; throws `E_OPTIONS` for any other text. */
export function readCursor<T extends readonly Part[]>(cursor: string | undefined, start: T): T {
  if (cursor === undefined) return start;
  try {
    const parts: unknown = JSON.parse(cursor);
    if (
      Array.isArray(parts) &&
      parts.length === start.length &&
      parts.every((part, i) => typeof part === typeof start[i])
    )
      return parts as readonly Part[] as T;
  } catch {
    // refused below, like any other text that names no place
  }
  throw new CarillonError('E_OPTIONS', `${JSON.stringify(cursor)} is no cursor of a page.`, {
    next: 'Give the cursor of the page before, or leave it out for the first page.',
  });
}
