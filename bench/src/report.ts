// The report of a benchmark: rows of ours beside a peer's, as a table for people or one JSON row per line for programs.

/** One measured line. */
export interface Row {
  /** What was done, in words. */
  readonly work: string;
  /** The unit of `ours` and `peer`: 'jobs/s', 'ms', 'bytes'. */
  readonly unit: string;
  readonly ours: number;
  /** The peer's figure in the same run; `null` where a row is about ours alone. */
  readonly peer: number | null;
  readonly peerName: string | null;
  /** How many times better than the peer, whichever way the unit runs; `null` without a peer. */
  readonly ratio: number | null;
  /** A number: the least `ratio`. A text: a bound on `ours`, such as '<= 5'. `null`: no goal. */
  readonly goal: number | string | null;
}

/** How to run a suite. */
interface SuiteOptions {
  /** How often each measurement is repeated; rows show medians. */
  readonly runs: number;
  /** A small smoke run, whose figures mean little. */
  readonly quick: boolean;
  /** The one work to measure; all if missing. */
  readonly only: string | undefined;
  /** Whether missing servers may be installed. */
  readonly install: boolean;
  /** Takes a line for people after each measurement. */
  readonly progress: (line: string) => void;
}

/** A suite yields each row as soon as it is measured. */
export type Suite = (options: SuiteOptions) => AsyncIterable<Row>;

/** A number to three significant digits, grouped: 165,000 · 4.56. */
function figure(value: number | null): string {
  return value === null ? '' : value.toLocaleString('en', { maximumSignificantDigits: value >= 1000 ? 4 : 3 });
}

/** Lays rows out as a table with aligned columns. */
export function table(rows: readonly Row[]): string {
  const header = ['work', 'unit', 'ours', 'peer', 'ratio', 'goal'];
  const lines = rows.map((row) => [
    row.work,
    row.unit,
    figure(row.ours),
    row.peerName === null ? '' : `${figure(row.peer)} ${row.peerName}`,
    row.ratio === null ? '' : `${figure(row.ratio)} x`,
    row.goal === null ? '' : typeof row.goal === 'number' ? `>= ${row.goal} x` : row.goal,
  ]);
  const widths = header.map((name, column) => Math.max(name.length, ...lines.map((line) => line[column]?.length ?? 0)));
  return [header, ...lines]
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
