// Redis inbox: effects in a Redis, as commands that run in one script with the mark of their execution.
//
// B1  Mark and commands happen together or not at all, and what a failover forgets it forgets of both: an execution has its
//     effect once, as far as the data shows.
// B2  With `fenced`, an attempt is refused once a later one has written under the same tag.
// B3  Redis does not roll back. A first command that fails leaves nothing behind; one that fails after others leaves a mark
//     that repeats its error to every later attempt, because neither "done" nor "not done" would be true.

import { createHash } from 'node:crypto';
import { type Duration, durationMs } from '@carillon/core/spi';
import type { Execution } from './execution.js';
import { overtaken } from './overtaken.js';
import { checkCommands, type RedisCommand } from './redis-command.js';

/** The little that an inbox needs of a client; `Redis` and `Cluster` of ioredis fit. */
export interface RedisClient {
  evalsha(sha: string, keys: number, ...args: (string | number | Buffer)[]): Promise<unknown>;
  eval(script: string, keys: number, ...args: (string | number | Buffer)[]): Promise<unknown>;
}

/** Options of `redisInbox`. */
export interface RedisInboxOptions {
  /** What the names of its own keys begin with. Default: `carillon:effect:`. */
  readonly prefix?: string;
  /** How long an execution is remembered: longer than any attempt of it may still come. Default: 30 days. */
  readonly keep?: Duration;
}

/** How one effect is made. */
export interface RedisEffectOptions {
  /** The hash tag of the keys that the commands touch, without braces. On a cluster they all share it. */
  readonly tag?: string;
  /** Refuse the attempt if a later one, of this or another job, has made a fenced effect under this tag. */
  readonly fenced?: boolean;
}

// KEYS: mark, fence. ARGV: fencing token, milliseconds to keep, '1' if fenced; then each command: its length, its words.
const SCRIPT = `
local mark = redis.call('GET', KEYS[1])
if mark then return mark end
if ARGV[3] == '1' then
  local highest = redis.call('GET', KEYS[2])
  if highest and tonumber(highest) > tonumber(ARGV[1]) then return 'overtaken' end
end
local function raise()
  if ARGV[3] == '1' then redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2]) end
end
redis.call('SET', KEYS[1], 'repeated', 'PX', ARGV[2])
local at = 4
while at <= #ARGV do
  local reply = redis.pcall(unpack(ARGV, at + 1, at + ARGV[at]))
  if type(reply) == 'table' and reply.err then
    if at == 4 then
      redis.call('DEL', KEYS[1])
      return 'failed ' .. reply.err
    end
    redis.call('SET', KEYS[1], 'broken ' .. reply.err, 'PX', ARGV[2])
    raise()
    return 'broken ' .. reply.err
  end
  at = at + ARGV[at] + 1
end
raise()
return 'applied'
`;
const SHA = createHash('sha1').update(SCRIPT).digest('hex');

/** Makes a Redis remember which executions have had their effect. */
export class RedisInbox {
  readonly #redis: RedisClient;
  readonly #prefix: string;
  readonly #keepMs: number;

  constructor(redis: RedisClient, options: RedisInboxOptions = {}) {
    this.#redis = redis;
    this.#prefix = options.prefix ?? 'carillon:effect:';
    this.#keepMs = durationMs(options.keep ?? '30d', 'keep');
  }

  /** Runs the commands unless the execution has had its effect; the answer says which. Throws if a command failed. */
  async commit(
    execution: Execution,
    commands: readonly RedisCommand[],
    { tag = '', fenced = false }: RedisEffectOptions = {},
  ): Promise<'applied' | 'repeated'> {
    execution.signal?.throwIfAborted();
    checkCommands(commands);
    const home = `${this.#prefix}{${tag === '' ? digest(execution.idempotencyKey) : tag}}:`;
    const answer = await this.#run(
      `${home}${digest(execution.idempotencyKey)}`,
      `${home}fence`,
      execution.fencingToken,
      this.#keepMs,
      fenced ? 1 : 0,
      ...commands.flatMap((command) => [command.length, ...command]),
    );
    if (answer === 'applied' || answer === 'repeated') return answer;
    if (answer === 'overtaken') throw overtaken(tag); // B2
    throw refused(String(answer)); // B3
  }

  async #run(...args: (string | number | Buffer)[]): Promise<unknown> {
    try {
      return await this.#redis.evalsha(SHA, 2, ...args);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
      return this.#redis.eval(SCRIPT, 2, ...args);
    }
  }
}

/** Makes a Redis remember which executions have had their effect. */
export function redisInbox(redis: RedisClient, options?: RedisInboxOptions): RedisInbox {
  return new RedisInbox(redis, options);
}

const digest = (text: string): string => createHash('sha256').update(text).digest('base64url').slice(0, 22);

function refused(answer: string): Error {
  const [how, ...why] = answer.split(' ');
  const what = how === 'broken' ? 'A command failed after others had been applied' : 'The first command failed';
  return new Error(`${what}: ${why.join(' ')}`);
}
