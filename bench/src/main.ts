// npm run bench -- <suite> [--json]

import { parseArgs } from 'node:util';
import type { Row } from './report.js';
import { table } from './report.js';
import { suites } from './suites.js';

const { positionals, values } = parseArgs({ allowPositionals: true, options: { json: { type: 'boolean' } } });
const name = positionals[0];
const suite = name === undefined ? undefined : suites.get(name);

if (suite === undefined) {
  console.error(`Usage: npm run bench -- <suite> [--json]. Suites: ${[...suites.keys()].join(', ') || 'none yet'}.`);
  process.exitCode = 2;
} else {
  const rows: Row[] = [];
  for await (const row of suite()) {
    rows.push(row);
    if (values.json) console.log(JSON.stringify(row));
    else console.error(`measured: ${row.work}`);
  }
  if (!values.json) console.log(table(rows));
}
