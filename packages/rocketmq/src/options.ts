// Options: what a user says about a broker, resolved once.

import { systemClock, systemRandom, type Clock, type Random } from '@carillon/core/spi';
import { CarillonError, type Duration, durationMs } from '@carillon/core/spi';
import type { Credentials } from './credentials.js';

/** How a connection is encrypted; PEM texts. */
export interface Tls {
  /** The authorities that are trusted, instead of those that Node brings. */
  readonly root?: Buffer;
  /** This client's own key and certificate, if the proxy asks for them. */
  readonly key?: Buffer;
  readonly certificate?: Buffer;
}

/** How to reach a RocketMQ, and what it can do. */
export interface RocketmqOptions {
  /** Host and port of the proxy's gRPC service: `'127.0.0.1:8081'`. One address: a name or a load balancer for several. */
  readonly endpoint: string;
  readonly credentials?: Credentials;
  /** Encrypts the connection; `true` trusts the authorities that Node brings. Default: not encrypted. */
  readonly tls?: boolean | Tls;
  /** What topics and groups start with; separates environments on one broker. Default `'carillon-'`. */
  readonly prefix?: string;
  /** How far ahead a message may be sent; less than both limits of the broker and its roll window. Default `'20h'`, or less
   *  if the precision is finer than 500 ms, since the roll window shrinks with it. */
  readonly horizon?: Duration;
  /** The broker's `timerPrecisionMs`. Default `'1s'`, as the broker's. */
  readonly precision?: Duration;
  /** How long the broker keeps a message, its `fileReservedTime`. Default `'72h'`, as the broker's. */
  readonly retention?: Duration;
  /** The longest body, in bytes. Default 256 KB; managed services often take 64 KB. */
  readonly maxBytes?: number;
  /** How long opening may take before it fails with the cause. Default `'10s'`. */
  readonly startTimeout?: Duration;
  /** How long one call may take before its outcome counts as unknown. Default `'5s'`. */
  readonly requestTimeout?: Duration;
  /** Queues whose topic and group `open` verifies besides those that the engine serves. */
  readonly verify?: readonly string[];
  /** How many sends may be under way at once. Default 64. */
  readonly sends?: number;
  /** Sets the property `__STARTDELIVERTIME` besides the delivery time, for managed services of the older kind. */
  readonly vendorProperty?: boolean;
  /** For tests. */
  readonly clock?: Clock;
  readonly random?: Random;
}

/** The options with every default filled in. */
export interface Resolved {
  readonly endpoint: string;
  readonly credentials: Credentials | undefined;
  readonly tls: Tls | undefined;
  readonly prefix: string;
  readonly horizonMs: number;
  readonly precisionMs: number;
  readonly retentionMs: number;
  readonly maxBytes: number;
  readonly startTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly verify: readonly string[];
  readonly sends: number;
  readonly vendorProperty: boolean;
  readonly clock: Clock;
  readonly random: Random;
}

/** More would not come back whole: a proxy takes bodies of 4 MB, and counts what stands around them. */
const LARGEST_BODY_BYTES = 4 * 1024 * 1024 - 64 * 1024;

/** Fills in the defaults; throws `E_OPTIONS` for what means nothing. */
export function resolveOptions(options: RocketmqOptions): Resolved {
  const { endpoint, tls, maxBytes = 256 * 1024 } = options;
  if (typeof endpoint !== 'string' || !/^[^\s;,/]+:\d+$/.test(endpoint)) {
    throw wrong(
      `${JSON.stringify(endpoint)} is no endpoint of a RocketMQ proxy.`,
      'Give one host and port, such as 127.0.0.1:8081.',
    );
  }
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 1024 || maxBytes > LARGEST_BODY_BYTES) {
    throw wrong(
      `maxBytes is ${String(maxBytes)}.`,
      `Give a whole number from 1024 to ${LARGEST_BODY_BYTES}: a longer body could be sent, but never received.`,
    );
  }
  const prefix = options.prefix ?? 'carillon-';
  if (!/^[A-Za-z0-9_-]{0,40}$/.test(prefix)) {
    throw wrong(
      `${JSON.stringify(prefix)} can't start the name of a topic.`,
      'Use up to 40 letters, digits, dashes and underscores.',
    );
  }
  const { sends = 64 } = options;
  if (!Number.isSafeInteger(sends) || sends < 1)
    throw wrong(`sends is ${String(sends)}.`, 'Give a whole number from 1.');
  const precisionMs = durationMs(options.precision ?? '1s', 'precision');
  return {
    endpoint,
    credentials: options.credentials,
    tls: tls === true ? {} : tls === false ? undefined : tls,
    prefix,
    horizonMs: options.horizon === undefined ? usualHorizonMs(precisionMs) : durationMs(options.horizon, 'horizon'),
    precisionMs,
    retentionMs: durationMs(options.retention ?? '72h', 'retention'),
    maxBytes,
    startTimeoutMs: durationMs(options.startTimeout ?? '10s', 'startTimeout'),
    requestTimeoutMs: durationMs(options.requestTimeout ?? '5s', 'requestTimeout'),
    verify: options.verify ?? [],
    sends,
    vendorProperty: options.vendorProperty ?? false,
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
  };
}

/** Below the roll window, beyond which the broker writes every message again: 172,800 slots of the timer wheel. */
function usualHorizonMs(precisionMs: number): number {
  const rollWindowMs = 172_800 * precisionMs;
  return Math.min(20 * 60 * 60 * 1000, precisionMs > 0 ? rollWindowMs * 0.8 : Infinity);
}

function wrong(message: string, next: string): CarillonError {
  return new CarillonError('E_OPTIONS', message, { next });
}
