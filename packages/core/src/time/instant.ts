// Instants: points in time, as numbers of milliseconds since 1970-01-01 UTC.

/** A point in time: milliseconds since the Unix epoch, whole. */
export type Instant = number;

/** The latest instant that a JavaScript `Date` can hold. */
export const LAST_INSTANT: Instant = 8.64e15;
