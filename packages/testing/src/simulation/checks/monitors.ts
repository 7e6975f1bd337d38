// Monitors: every watch over a run, in one list.

import { acks } from './acks.js';
import { answers } from './answers.js';
import { chains } from './chains.js';
import { completions } from './completions.js';
import { delays } from './delays.js';
import { edits } from './edits.js';
import { growth } from './growth.js';
import { limits } from './limits.js';
import { liveness } from './liveness.js';
import { matching } from './matching.js';
import type { MonitorMaker } from './monitor.js';
import { neverEarly } from './never-early.js';
import { outage } from './outage.js';
import { sends } from './sends.js';
import { setAside } from './set-aside.js';
import { takeovers } from './takeovers.js';

/** Every monitor: I1 to I11, what was answered, and the matching at the end. */
export const MONITORS: readonly MonitorMaker[] = [
  completions,
  limits,
  growth,
  neverEarly,
  delays,
  acks,
  setAside,
  sends,
  edits,
  outage,
  answers,
  takeovers,
  liveness,
  chains,
  matching,
];
