// Builds before each file of system tests, whose child processes run built files (`test/dist/**/*-process.js`).
// A build with nothing to do takes a third of a second.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const tsc = join(import.meta.dirname, '..', 'node_modules', '.bin', 'tsc');
execFileSync(tsc, ['-b', import.meta.dirname], { stdio: 'inherit' });
