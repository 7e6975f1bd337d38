// Redis effect: commands that run in the ledger's own commit, together with the completion of the job that asked for them.
//
// D1  Effect and completion are one script: whatever crashes, both have happened or neither; a failover forgets both.
// D2  Redis does not roll back. If the first command fails, nothing has happened and the attempt has failed; if a later one
//     fails, the job is set aside as dead with the error, and is not done.

import { checkCommands, type RedisCommand } from './redis-command.js';

/** Commands for `attempt.completeWith`, on an engine whose ledger is `redis`. */
export class RedisEffect {
  readonly commands: readonly RedisCommand[];

  constructor(commands: readonly RedisCommand[]) {
    this.commands = commands;
  }
}

/** Commands for `attempt.completeWith`. On a Cluster their keys would have to live where the record does: use a `redisInbox` there. */
export function redisEffect(commands: readonly RedisCommand[]): RedisEffect {
  checkCommands(commands);
  return new RedisEffect(commands);
}

/** The commands as the script takes them. */
export function packEffect({ commands }: RedisEffect): Buffer {
  return Buffer.concat(
    commands.flatMap((words) => {
      const count = Buffer.alloc(2);
      count.writeUInt16LE(words.length);
      return [count, ...words.flatMap(packWord)];
    }),
  );
}

function packWord(word: string | number | Buffer): readonly Buffer[] {
  const bytes = Buffer.isBuffer(word) ? word : Buffer.from(String(word));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return [length, bytes];
}
