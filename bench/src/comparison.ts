// From chapters (which works, which lines) and median figures to the rows of a report.

import type { Conditions } from './measure.js';
import { measure } from './measure.js';
import type { Row } from './report.js';
import type { SystemName } from './systems/systems.js';
import type { Figures } from './works/work.js';
import type { WorkName } from './works/works.js';

/** One figure: ours alone if it has a bound, then ours beside each peer. */
export interface Line {
  readonly work: string;
  readonly unit: string;
  /** Reads the figure; `undefined` where a system has none. */
  readonly figure: (figures: Figures) => number | undefined;
  readonly better: 'higher' | 'lower';
  /** A bound on our own figure. */
  readonly bound?: string;
  /** Peers to compare with, and the least ratio wanted; `null` where nothing was promised. */
  readonly peers: Partial<Record<SystemName, number | null>>;
}

/** Works that are measured together, and the lines that come out. */
export interface Chapter {
  readonly name: string;
  readonly works: readonly WorkName[];
  readonly lines: readonly Line[];
}

/** Measures a chapter with ours and every peer that its lines name. */
export async function rowsOf(chapter: Chapter, ours: SystemName, conditions: Conditions): Promise<Row[]> {
  const peers = chapter.lines.flatMap((line) => Object.keys(line.peers) as SystemName[]);
  const figures = await measure(chapter.works, [...new Set([ours, ...peers])], conditions);
  return chapter.lines.flatMap((line) => rowsOfLine(line, ours, figures));
}

/** The rows of one line. */
export function rowsOfLine(line: Line, ours: SystemName, figures: ReadonlyMap<SystemName, Figures>): Row[] {
  const { work, unit } = line;
  const figureOf = (name: SystemName) => line.figure(figures.get(name) ?? {});
  const own = figureOf(ours);
  if (own === undefined) throw new Error(`${ours} has no figure for: ${work}.`);
  const alone = { work, unit, ours: own, peer: null, peerName: null, ratio: null };
  const rows: Row[] = line.bound === undefined ? [] : [{ ...alone, goal: line.bound }];
  for (const [peerName, goal] of Object.entries(line.peers) as [SystemName, number | null][]) {
    const peer = figureOf(peerName);
    if (peer === undefined) continue;
    rows.push({
      work,
      unit,
      ours: own,
      peer,
      peerName,
      ratio: line.better === 'higher' ? own / peer : peer / own,
      goal,
    });
  }
  return rows;
}
