// npm run bench -- <suite> [--json] [--runs N] [--quick] [--only <work>] [--install]

import { parseArgs } from 'node:util';
import type { Row } from './report.js';
import { table } from './report.js';
import { suites } from './suites.js';

const USAGE = 'npm run bench -- <suite> [--json] [--runs N] [--quick] [--only <work>] [--install]';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    runs: { type: 'string' },
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    install: { type: 'boolean', default: false },
  },
});
const suite = suites.get(positionals[0] ?? '');
const runs = Number(values.runs ?? (values.quick ? 1 : 3));

if (suite === undefined || !Number.isInteger(runs) || runs < 1) {
  console.error(`Usage: ${USAGE}. Suites: ${[...suites.keys()].join(', ')}.`);
  process.exitCode = 2;
} else {
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
