// The process in which one work is done with one system: started by measure.ts, told what to do, answers once.

import { once } from 'node:events';
import type { Place } from './systems/system.js';
import type { SystemName } from './systems/systems.js';
import { systems } from './systems/systems.js';
import type { Figures, Sizes } from './works/work.js';
import type { WorkName } from './works/works.js';
import { works } from './works/works.js';

/** What to do. */
export interface Assignment {
  readonly work: WorkName;
  readonly system: SystemName;
  readonly place: Place;
  readonly sizes: Sizes;
}

/** What came out of it. */
export type Answer = { readonly figures: Figures } | { readonly failure: string };

async function perform({ work, system, place, sizes }: Assignment): Promise<Figures> {
  const opened = await systems[system].open(place);
  const figures = await works[work](opened, sizes);
  await opened.close();
  return figures;
}

process.once('disconnect', () => process.exit(1)); // the benchmark is gone
process.on('SIGINT', () => {}); // Ctrl-C reaches the whole group: the benchmark ends this process

const [assignment] = (await once(process, 'message')) as [Assignment];
const answer: Answer = await perform(assignment).then(
  (figures) => ({ figures }),
  (error: unknown) => ({ failure: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
);
process.send!(answer, () => process.exit());
