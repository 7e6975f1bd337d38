// Pace: how fast a suite runs.

/** What was done in which time. */
export interface Pace {
  readonly seeds: number;
  /** Simulated hours with faults on; the healed ones at the end of each run are not counted. */
  readonly hours: number;
  readonly tookMs: number;
  readonly workers: number;
}

/** How many seeds a second, on all cores. */
export function seedsPerSecond({ seeds, tookMs }: Pace): number {
  return rounded((seeds * 1000) / Math.max(1, tookMs));
}

/** How many simulated hours a second, on each core. */
export function hoursPerSecondAndCore({ hours, tookMs, workers }: Pace): number {
  return rounded((hours * 1000) / Math.max(1, tookMs) / workers);
}

/** A pace in words. */
export function paceText(pace: Pace): string {
  return `${seedsPerSecond(pace)} seeds/s, ${hoursPerSecondAndCore(pace)} simulated hours/s per core`;
}

/** To two significant digits or whole. */
function rounded(number: number): number {
  return number >= 10 ? Math.round(number) : Number(number.toPrecision(2));
}
