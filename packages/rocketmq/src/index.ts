// What users of RocketMQ import.

export { rocketmq } from './rocketmq.js';
export type { Credentials, RocketmqOptions, Tls } from './options.js';
export { rocketmqAdmin } from './admin.js';
export type { RocketmqAdmin, RocketmqAdminOptions } from './admin.js';
