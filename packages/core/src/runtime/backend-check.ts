// Backend check: whether a backend, once it is open, can carry what an engine asks of it.

import { CarillonError } from '../errors.js';
import { keptForMs } from '../job/settle.js';
import type { Limits } from '../ports/transport.js';
import type { Catalog } from '../task/catalog.js';
import { formatDuration } from '../time/duration.js';

/** What an engine asks of a backend. */
export interface Asked {
  readonly leaseMs: number;
  readonly catalog: Catalog;
}

/** Throws `E_OPTIONS` if a transport's limits do not allow what is asked. */
export function checkBackend(asked: Asked, limits: Limits): void {
  checkLeases(asked.leaseMs, limits);
  checkRetention(asked.catalog, limits);
}

function checkLeases(leaseMs: number, { leaseMs: [min, max] }: Limits): void {
  if (leaseMs >= min && leaseMs <= max) return;
  throw new CarillonError('E_OPTIONS', `A lease of ${formatDuration(leaseMs)} is not possible on this transport.`, {
    next: `Choose a lease of ${formatDuration(min)} to ${max === Infinity ? 'any length' : formatDuration(max)}.`,
  });
}

/** A copy of a message must find what became of its job (S5 of settle.ts). */
function checkRetention(catalog: Catalog, { retentionMs = 0 }: Limits): void {
  const short = [...catalog].find(([, { options }]) => keptForMs(options) < retentionMs);
  if (short === undefined) return;
  const [name, { options }] = short;
  const kept = formatDuration(keptForMs(options));
  const message = `The broker keeps messages for ${formatDuration(retentionMs)}, and the task '${name}' its completions for ${kept}.`;
  throw new CarillonError('E_OPTIONS', message, {
    next: `Set keep: '${formatDuration(retentionMs)}' or more, so that a late copy finds them, or lower the broker's retention.`,
  });
}
