// Carillon options: what a Carillon is made of, checked and with what was left out filled in.

import type { DeclaredOptions } from './declared-schedules.js';
import { CarillonError } from './errors.js';
import { checkNamespace } from './message/names.js';
import type { Backend } from './ports/backend.js';
import type { EngineParts } from './runtime/engine-parts.js';
import { type Catalog, catalogOf } from './task/catalog.js';
import { consoleLogger, type Logger } from './task/logger.js';
import { atLeast, atLeastOne, checkQueue, onlyKnown } from './task/options.js';
import type { TaskDefinition } from './task/definition.js';
import { type Clock, type Ids, type Random, systemClock, systemIds, systemRandom } from './time/clock.js';
import { type Duration, durationMs } from './time/duration.js';

/** How to make a `Carillon`. */
export interface CarillonOptions {
  /** Where jobs are kept and carried: `embedded('./data')`, or `{ transport, ledger }`. */
  readonly backend: Backend;
  /** The tasks that this process runs; none for one that only schedules. */
  readonly tasks?: readonly TaskDefinition[];
  /** The queues that it serves, with how many handlers each may run at once; default: the queues of its tasks. */
  readonly queues?: readonly string[] | Readonly<Record<string, { readonly concurrency?: number }>>;
  /** How many handlers run at once in all; default 100. */
  readonly concurrency?: number;
  /** Prefixes everything that is written, so that apps and tenants share a store; default none. */
  readonly namespace?: string;
  /** Names this process in leases and lists; default host, process and a random part. */
  readonly name?: string;
  /** How long a worker may be silent before another takes its jobs over; default `'30s'`, at least a second. */
  readonly lease?: Duration;
  /** Limits in bytes; default 256 KiB for a payload, 16 KiB for a result or progress. */
  readonly limits?: { readonly payloadBytes?: number; readonly resultBytes?: number };
  /** What happens to schedules that its tasks declare. */
  readonly schedules?: DeclaredOptions;
  /** A pino logger, or anything of its shape; default: warnings and errors to the console. */
  readonly logger?: Logger;
  /** Ports for tests and simulation; default the host's own. */
  readonly clock?: Clock;
  readonly random?: Random;
  readonly ids?: Ids;
}

/** The same, resolved. */
export interface ResolvedOptions extends EngineParts {
  readonly maxPayloadBytes: number;
  readonly schedules: DeclaredOptions;
}

const KIB = 1024;
const MOST_CONCURRENT = 1_000_000; // shares of it are computed, so it is a number also if it was said to be Infinity
const CARILLON_OPTIONS: readonly (keyof CarillonOptions)[] = [
  'backend',
  'tasks',
  'queues',
  'concurrency',
  'namespace',
  'name',
  'lease',
  'limits',
  'schedules',
  'logger',
  'clock',
  'random',
  'ids',
];

/** Checks options; throws `E_OPTIONS`, `E_DURATION`, `E_TASK_DUPLICATE` or `E_TASK_HANDLER`. */
export function resolveOptions(options: CarillonOptions): ResolvedOptions {
  onlyKnown(options, CARILLON_OPTIONS, 'Carillon');
  if (options.backend?.ledger === undefined || options.backend.transport === undefined) {
    throw new CarillonError('E_OPTIONS', 'Carillon has no backend.', {
      next: "Give backend: embedded('./data'), or { transport, ledger }.",
    });
  }
  const {
    backend,
    clock = systemClock,
    random = systemRandom,
    ids = systemIds(clock),
    logger: log = consoleLogger(),
    limits = {},
  } = options;
  onlyKnown(limits, ['payloadBytes', 'resultBytes'], 'limits');
  const concurrency = Math.min(atLeastOne(options.concurrency ?? 100, 'concurrency'), MOST_CONCURRENT);
  const namespace = checkNamespace(options.namespace ?? '');
  const worker = options.name ?? `${process.pid.toString(36)}-${ids.nonce()}`;
  const maxPayloadBytes = Math.min(
    atLeastOne(limits.payloadBytes ?? 256 * KIB, 'limits.payloadBytes'),
    backend.transport.limits.maxBytes,
  );
  const catalog = catalogOf(options.tasks ?? []);
  const queues = queuesOf(options.queues, catalog);
  const leaseMs = atLeast(durationMs(options.lease ?? '30s', 'lease'), 1000, 'lease in milliseconds');
  const maxResultBytes = atLeastOne(limits.resultBytes ?? 16 * KIB, 'limits.resultBytes');
  for (const { options: task } of catalog.values()) {
    if (!queues.has(task.queue))
      log.warn({ task: task.name, queue: task.queue }, 'a task is not run here: its queue is not among `queues`');
  }
  const schedules = options.schedules ?? {};
  const ports = { backend, log, clock, random, ids };
  const most = { concurrency, leaseMs, maxPayloadBytes, maxResultBytes };
  return { ...ports, ...most, catalog, namespace, worker, queues, schedules };
}

function queuesOf(queues: CarillonOptions['queues'], catalog: Catalog): Map<string, number> {
  if (queues === undefined) return new Map([...catalog.values()].map(({ options }) => [options.queue, Infinity]));
  const named: readonly (readonly [string, { readonly concurrency?: number }])[] = isList(queues)
    ? queues.map((queue) => [queue, {}])
    : Object.entries(queues);
  for (const [queue, limits] of named) onlyKnown(limits, ['concurrency'], `The queue ${queue}`);
  return new Map(
    named.map(([queue, { concurrency }]) => [
      checkQueue(queue),
      atLeastOne(concurrency ?? Infinity, `concurrency of queue ${queue}`),
    ]),
  );
}

function isList(queues: NonNullable<CarillonOptions['queues']>): queues is readonly string[] {
  return Array.isArray(queues);
}
