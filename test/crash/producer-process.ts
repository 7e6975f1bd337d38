// A producer as a process of its own: schedules one job, tells the answer, and ends.

import { Carillon, type ScheduleOptions, silentLogger } from '@carillon/core';
import { befall, type Fault, withCrashPoints } from './crash-point.js';
import { settingOfProcess, tell } from './parent.js';
import { backendOf, type Place } from './store.js';
import { type Policy, tasks } from './tasks.js';

/** What a producer is started with. */
export interface ProducerSetting {
  readonly place: Place;
  readonly policy: Policy;
  readonly options: ScheduleOptions;
  readonly fault?: Fault;
}

const { place, policy, options, fault } = settingOfProcess() as ProducerSetting;
const carillon = new Carillon({
  backend: withCrashPoints(backendOf(place), befall(fault)),
  logger: silentLogger,
});
const answer = await carillon.schedule(tasks[policy], { pauseMs: 0 }, options);
await tell({ is: 'answered', answer });
await carillon.stop();
process.exit();
