// npm run bench -- <suite> [--json] [--runs N] [--quick] [--only <work>] [--install]

import { parseArgs } from 'node:util';
import type { Row } from './report.js';
import { table } from './report.js';
import { suites } from './suites.js';

const USAGE = `Measures Carillon beside others, on this machine, in one run. bench/README.md says what each suite does.

Usage: npm run bench -- <suite> [flags]

Suites: ${[...suites.keys()].join(', ')}.

  --only WORK   one part of the suite: bench/README.md names them
  --runs N      how many runs the medians are of (default 3)
  --quick       small and once: only proves that everything works
  --json        print one JSON row per line, as soon as it is measured
  --install     install servers from the system's packages that are missing (as root)
  --help        print this`;

/** What the command line asks for; a text if it can't be understood. */
function asked() {
  try {
    const { positionals, values } = parseArgs({
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        runs: { type: 'string' },
        quick: { type: 'boolean', default: false },
        only: { type: 'string' },
        install: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    const runs = Number(values.runs ?? (values.quick ? 1 : 3));
    if (values.help) return { ...values, suite: undefined, runs };
    const suite = suites.get(positionals[0] ?? '');
    if (suite === undefined) return positionals[0] === undefined ? 'Which suite?' : `No suite '${positionals[0]}'.`;
    if (!Number.isInteger(runs) || runs < 1) return `--runs takes a whole number from 1, not '${values.runs}'.`;
    return { ...values, suite, runs };
  } catch (error) {
    return (error as Error).message;
  }
}

const choice = asked();
if (typeof choice === 'string') {
  console.error(`${choice}\n\n${USAGE}`);
  process.exitCode = 2;
} else if (choice.suite === undefined) {
  console.log(USAGE);
} else {
  const { suite, runs, ...values } = choice;
  // What was started stops in 'exit' handlers, so that any way out takes it along.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      console.error(`stopped by ${signal}`);
      process.exit(130);
    });
  }
  const rows: Row[] = [];
  const progress = (line: string) => console.error(line);
  try {
    for await (const row of suite({ ...values, only: values.only, runs, progress })) {
      rows.push(row);
      if (values.json) console.log(JSON.stringify(row));
    }
    if (!values.json) console.log(table(rows));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
