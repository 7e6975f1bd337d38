// rocketmq: the transport over Apache RocketMQ 5, as users make it.

import type { Transport } from '@carillon/core/spi';
import { resolveOptions, type RocketmqOptions } from './options.js';
import { RocketmqTransport } from './rocketmq-transport.js';

/** A transport over a RocketMQ 5 proxy. Throws `E_OPTIONS` for options that mean nothing. */
export function rocketmq(options: RocketmqOptions): Transport {
  return new RocketmqTransport(resolveOptions(options));
}
