// Logger: the shape of logger that Carillon writes to; a pino logger fits as it is.

/** Structured logging in pino's manner: fields first, then the message. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** A logger that adds `fields` to each line. */
  child(fields: object): Logger;
}

/** Says nothing. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
};

/** Writes warnings and errors to the console, as one line each; the default. */
export function consoleLogger(fields: object = {}): Logger {
  const line = (more: object, message: string): string =>
    `carillon: ${message} ${JSON.stringify({ ...fields, ...more }, printable)}`;
  return {
    debug() {},
    info() {},
    warn: (more, message) => console.warn(line(more, message)),
    error: (more, message) => console.error(line(more, message)),
    child: (more) => consoleLogger({ ...fields, ...more }),
  };
}

function printable(_key: string, value: unknown): unknown {
  return value instanceof Error ? (value.stack ?? value.message) : value;
}
