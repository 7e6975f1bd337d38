// Redis command: a command and its arguments, as effects are made of them.
//
// M1  What a script can't run is refused before anything is asked: Lua takes 8,000 words in one call, and a script that
//     breaks off in the middle leaves behind what it had written.

import { CarillonError } from '@carillon/core/spi';

/** A command and its arguments: `['DECRBY', 'stock:{item-7}', 1]`. */
export type RedisCommand = readonly [command: string, ...args: (string | number | Buffer)[]];

const MOST_WORDS = 7_000;

/** Throws `E_OPTIONS` for a command that a script can't run (M1). */
export function checkCommands(commands: readonly RedisCommand[]): void {
  const bad = commands.find(({ length }) => length === 0 || length > MOST_WORDS);
  if (bad === undefined) return;
  const what = bad.length === 0 ? 'An empty command' : `A ${bad[0]} of ${bad.length} words`;
  throw new CarillonError('E_OPTIONS', `${what} can't be part of an effect.`, {
    next: `Give each command 1 to ${MOST_WORDS} words; write several commands where one would be longer.`,
  });
}
