// TerseLogger: what Carillon says, on one line and each thing once: while a server is away it says the same many times.

import { consoleLogger, type Logger } from '@carillon/core';

type Level = 'info' | 'warn' | 'error';

/** A logger of its own memory, for one process. */
export function terseLogger(sink: Logger = consoleLogger()): Logger {
  const said = new Set<string>();
  const say =
    (level: Level) =>
    ({ err }: { readonly err?: unknown }, message: string): void => {
      if (said.has(message)) return;
      said.add(message);
      sink[level](err instanceof Error ? { err: err.message.split('\n')[0] } : {}, message);
    };
  const logger: Logger = {
    debug() {},
    info: say('info'),
    warn: say('warn'),
    error: say('error'),
    child: () => logger,
  };
  return logger;
}
