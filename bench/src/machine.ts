// How busy the machine is: a measurement beside other programs says little, and should say so.

import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

/** The share of all processors' time, 0 to 1, that was in use during the next `ms` milliseconds. */
export async function busyShare(ms: number): Promise<number> {
  const before = processorTimes();
  await sleep(ms);
  const after = processorTimes();
  const total = after.total - before.total;
  return total === 0 ? 0 : 1 - (after.idle - before.idle) / total;
}

function processorTimes() {
  const times = cpus().map((cpu) => cpu.times);
  const sum = (pick: (time: (typeof times)[number]) => number) => times.reduce((all, time) => all + pick(time), 0);
  return {
    idle: sum((time) => time.idle),
    total: sum(({ user, nice, sys, idle, irq }) => user + nice + sys + idle + irq),
  };
}
