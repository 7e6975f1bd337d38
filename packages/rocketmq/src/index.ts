// What users of RocketMQ import.

export { rocketmq } from './rocketmq.js';
export type { RocketmqOptions, Tls } from './options.js';
export { environmentCredentials } from './credentials.js';
export type { Credentials } from './credentials.js';
export { rocketmqAdmin } from './admin.js';
export type { RocketmqAdmin, RocketmqAdminOptions } from './admin.js';
