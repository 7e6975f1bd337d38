// Redis effect: commands that run in the ledger's own commit, together with the completion of the job that asked for them.
//
// D1  Effect and completion are one script: whatever crashes, both have happened or neither; a failover forgets both.
// D2  Redis does not roll back. If the first command fails, nothing has happened and the attempt has failed; if a later one
//     fails, the job is set aside as dead with the error, and is not done.

import type { Packer } from '../packer.js';
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

/** Packs the commands as the script takes them. */
export function packEffect(packer: Packer, { commands }: RedisEffect): void {
  for (const words of commands) {
    packer.count(words.length);
    for (const word of words)
      packer.block(() => (Buffer.isBuffer(word) ? packer.bytes(word) : packer.text(String(word))));
  }
}
