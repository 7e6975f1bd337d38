// Cursor: a place in a list as text.

import { CarillonError } from '@carillon/core/spi';

type Part = string | number;

/** Writes a cursor. */
export function writeCursor(parts: readonly Part[]): string {
  return JSON.stringify(parts);
}

/** Reads a cursor whose parts have these types, or answers `start` without one; throws `E_OPTIONS` for any other text. */
export function readCursor<const T extends readonly Part[]>(
  cursor: string | undefined,
  types: readonly ('string' | 'number')[],
  start: T,
): { [K in keyof T]: T[K] extends number ? number : Part } {
  if (cursor === undefined) return start as never;
  try {
    const parts: unknown = JSON.parse(cursor);
    if (Array.isArray(parts) && parts.length === types.length && parts.every((part, i) => typeof part === types[i]))
      return parts as never;
  } catch {
    // refused below, like any other text that names no place
  }
  throw new CarillonError('E_OPTIONS', `${JSON.stringify(cursor)} is no cursor of a page.`, {
    next: 'Give the cursor of the page before, or leave it out for the first page.',
  });
}
