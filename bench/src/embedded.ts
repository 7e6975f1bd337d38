// The suite `embedded`: ours beside BullMQ on Redis, Graphile Worker on PostgreSQL, and the bare store.

import type { Chapter } from './comparison.js';
import { rowsOf } from './comparison.js';
import type { Suite } from './report.js';
import { servers as makeServers } from './servers.js';
import type { SystemName } from './systems/systems.js';
import type { Figures, Sizes } from './works/work.js';
import { FULL, QUICK } from './works/work.js';

const OURS: SystemName = 'Carillon';

const perSecond = { unit: 'jobs/s', better: 'higher' } as const;
const late = { unit: 'ms', better: 'lower' } as const;
const bytes = { unit: 'bytes', better: 'lower' } as const;
const cost = { unit: 'times', better: 'lower' } as const;

const both = { BullMQ: null, 'Graphile Worker': null } as const;
const of = (name: string) => (figures: Figures) => figures[name];
const costOf = (name: string) => (figures: Figures) => figures[`empty.${name}`]! / figures[`loaded.${name}`]!;

function chapters(sizes: Sizes): readonly Chapter[] {
  const pending = `with ${sizes.pendingJobs.toLocaleString('en')} pending`;
  const burst = `start of ${sizes.burstJobs.toLocaleString('en')} due at one instant`;
  const stream = '1,000 due per second';
  const timely = { ...both, timers: null };
  return [
    {
      name: 'schedule',
      works: ['schedule'],
      lines: [
        {
          work: 'schedule, 100 in flight',
          ...perSecond,
          figure: of('schedule.schedule'),
          peers: { BullMQ: 3, 'Graphile Worker': null, 'bare store': 0.6 },
        },
      ],
    },
    {
      name: 'drain',
      works: ['drain'],
      lines: [
        {
          work: 'drain no-op jobs, concurrency 100',
          ...perSecond,
          figure: of('drain.drain'),
          peers: { BullMQ: 3.5, 'Graphile Worker': 2, 'bare store': 0.6 },
        },
      ],
    },
    {
      name: 'lateness',
      works: ['lateness'],
      lines: [
        { work: `lateness p50, ${stream}`, ...late, figure: of('lateness.p50'), peers: timely },
        { work: `lateness p99, ${stream}`, ...late, figure: of('lateness.p99'), bound: '<= 5', peers: timely },
        { work: `lateness max, ${stream}`, ...late, figure: of('lateness.max'), peers: timely },
      ],
    },
    {
      name: 'burst',
      works: ['burst'],
      lines: [
        {
          work: `${burst}, the process has just begun`,
          ...perSecond,
          figure: of('burst.first'),
          peers: { BullMQ: 3, 'Graphile Worker': 1.5, timers: null },
        },
        {
          work: `${burst}, its second burst`,
          ...perSecond,
          figure: of('burst.second'),
          peers: { BullMQ: 3, 'Graphile Worker': 1.5, timers: null },
        },
      ],
    },
    {
      name: 'footprint',
      works: ['footprint'],
      lines: [
        { work: 'RAM per pending job', ...bytes, figure: of('footprint.ram'), bound: '< 50', peers: both },
        {
          work: 'disk per pending job',
          ...bytes,
          figure: of('footprint.disk'),
          bound: '< 300',
          peers: { ...both, 'bare store': null },
        },
      ],
    },
    {
      name: 'loaded',
      works: ['empty', 'loaded'],
      lines: [
        {
          work: `schedule, half far off, ${pending}`,
          ...perSecond,
          figure: of('loaded.schedule'),
          peers: { ...both, 'bare store': null },
        },
        { work: `drain, ${pending}`, ...perSecond, figure: of('loaded.drain'), peers: { ...both, 'bare store': null } },
        {
          work: `cost of scheduling ${pending}, an empty store is 1`,
          ...cost,
          figure: costOf('schedule'),
          bound: '<= 1.2',
          peers: { ...both, 'bare store': null },
        },
        {
          work: `cost of draining ${pending}, an empty store is 1`,
          ...cost,
          figure: costOf('drain'),
          bound: '<= 1.2',
          peers: { ...both, 'bare store': null },
        },
      ],
    },
  ];
}

/** Measures chapter after chapter, each with all its systems in turns. */
export const embedded: Suite = async function* ({ runs, quick, only, install, progress }) {
  const sizes = quick ? QUICK : FULL;
  const all = chapters(sizes);
  const chosen = only === undefined ? all : all.filter((chapter) => chapter.name === only);
  if (chosen.length === 0) throw new Error(`No work '${only}'. Works: ${all.map(({ name }) => name).join(', ')}.`);
  const servers = makeServers({ install });
  try {
    for (const chapter of chosen) yield* await rowsOf(chapter, OURS, { servers, sizes, runs, progress });
  } finally {
    await servers.stop();
  }
};
