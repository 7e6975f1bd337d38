// For authors of adapters: the ports, and the types that they speak in.

export type { Clock, Ids, Random, Timer } from './time/clock.js';
export { systemClock, systemIds, systemRandom } from './time/clock.js';
export type { Instant } from './time/instant.js';
export type { Backend } from './ports/backend.js';
export type * from './ports/ledger.js';
export type { OutgoingMessage } from './ports/outgoing-message.js';
export type * from './ports/transport.js';
export { checkLease } from './ports/lease.js';
export type { ErrorCode } from './errors.js';
export { CarillonError } from './errors.js';
export { parseRule } from './rule/rule.js';
export type { Rule } from './rule/rule.js';
export { type Duration, durationMs, formatDuration } from './time/duration.js';
