// Run: lives one plan through: the safety phase with its faults, the healing, the liveness phase, the judgement.

import type { LedgerRecord } from '@carillon/core/spi';
import type { Instant } from '@carillon/core/spi';
import type { Happened, Observation, Observer } from './observation.js';
import { Audience } from './checks/audience.js';
import { Grants } from './checks/grants.js';
import { type MonitorMaker, Violation } from './checks/monitor.js';
import { Room } from './checks/room.js';
import { Fleet } from './fleet/fleet.js';
import type { Program } from './fleet/host.js';
import { Shop } from './fleet/shop.js';
import { Chance, streamOf } from './plan/faults.js';
import type { Plan } from './plan/plan.js';
import { TraceHash } from './report/trace.js';
import { Servers } from './world/servers.js';
import { World } from './world/world.js';

/** What happens in a run beside its faults: the tasks that engines run, and what business code does. */
export interface Scenario {
  readonly program: Program;
  /** When the run begins; default 2026-01-01T00:00Z. */
  readonly startsAt?: Instant;
  /** Schedules jobs; what it throws ends the run. */
  drive(shop: Shop): Promise<void>;
}

/** How a run ended. */
export interface RunResult {
  readonly plan: Plan;
  readonly violation: Violation | undefined;
  /** Tells two runs apart. */
  readonly hash: string;
  readonly events: number;
  /** How many jobs were overdue at the end because nothing had room for them. */
  readonly backlog: number;
  /** What stood in the ledger at the end. */
  readonly records: readonly LedgerRecord[];
}

/** Within this long after the last fault everything that is due is done (I3), in milliseconds: the longest grace of a sweep,
 *  the longest time for which a job of an unknown task is given back, and room for both. */
const BOUND_MS = 3 * 3_600_000;

const START = Date.UTC(2026, 0, 1);
const HOUR_MS = 3_600_000;

/** Runs a plan; `monitors` judge it, `observers` only watch. */
export async function run(
  plan: Plan,
  scenario: Scenario,
  monitors: readonly MonitorMaker[],
  observers: readonly Observer[] = [],
): Promise<RunResult> {
  const startsAt = scenario.startsAt ?? START;
  const world = new World(startsAt, streamOf(plan.seed, 'world'));
  const chance = new Chance(plan.seed, plan.faults);
  const hash = new TraceHash();
  const audience = new Audience();
  for (const watch of [hash.add, ...observers]) audience.add(watch);
  const tell = (happened: Happened): void => {
    const observation = happened as Observation & { at: Instant };
    observation.at = world.now; // nobody else holds it
    audience.tell(observation);
  };
  const servers = new Servers({ plan, world, chance, tell });
  const calls = { made: 0 };
  const fleet = new Fleet({ calls, plan, world, chance, servers, tell, program: scenario.program });
  const violate = (invariant: Violation['invariant'], about: string, text: string): void =>
    world.stop(new Violation(invariant, about, text, world.now));
  const grants = new Grants();
  const room = new Room();
  audience.add((observation) => grants.watch(observation), ['record']);
  audience.add((observation) => room.watch(observation), ['record', 'forgotten', 'host']);
  let backlog = 0;
  const excuse = (): void => void (backlog += 1);
  const judges = monitors.map((make) => make({ plan, servers, now: () => world.now, grants, room, excuse, violate }));
  for (const { watch, hears } of judges) if (watch !== undefined) audience.add(watch, hears);

  const endsAt = startsAt + plan.hours * HOUR_MS;
  const shop = new Shop({ host: fleet.shop, world, random: streamOf(plan.seed, 'shop'), tell, endsAt, calls });
  const ended = (violation: Violation | undefined): RunResult => ({
    plan,
    violation,
    hash: hash.value,
    events: world.events,
    backlog,
    records: Array.from(servers.ledger.records.all(), ({ record }) => record),
  });
  try {
    fleet.start();
    servers.start(fleet.names);
    scenario.drive(shop).catch((error: unknown) => world.stop(error));
    await world.runUntil(endsAt);
    chance.heal();
    servers.heal();
    fleet.heal();
    tell({ what: 'healed', host: undefined });
    await world.runUntil(endsAt + BOUND_MS);
    for (const judge of judges) judge.atEnd?.();
    await world.runUntil(endsAt + BOUND_MS); // hears what the judges have said
    return ended(undefined);
  } catch (error) {
    if (error instanceof Violation) return ended(error);
    throw error;
  }
}
