export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

const order: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 };

/** How a line is written: as dockerd does, or as one JSON object. */
export type LogFormat = 'logfmt' | 'json';

/** Structured log lines, one per event. */
export interface Logger {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

function render(value: unknown): string {
  const text =
    value instanceof Error ? describe(value) : typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return /^[\w./:@%+-]+$/.test(text) ? text : JSON.stringify(text);
}

function describe(error: Error): string {
  const cause = error.cause instanceof Error ? `: ${describe(error.cause)}` : '';
  return `${error.message}${cause}`;
}

function asLogfmt(level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>): string {
  const rest = Object.entries(fields).map(([key, value]) => ` ${key}=${render(value)}`);
  return `time=${new Date().toISOString()} level=${level} msg=${render(message)}${rest.join('')}\n`;
}

function asJson(level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>): string {
  const line = { time: new Date().toISOString(), level, msg: message, ...fields };
  return `${JSON.stringify(line, (_key, value: unknown) => (value instanceof Error ? describe(value) : value))}\n`;
}

/** A logger writing through `write` (standard error by default) everything at or above `level`. */
export function createLogger(
  level: LogLevel,
  write: (line: string) => void = (line) => void process.stderr.write(line),
  format: LogFormat = 'logfmt',
): Logger {
  const encode = format === 'json' ? asJson : asLogfmt;
  const at =
    (lineLevel: LogLevel) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      if (order[lineLevel] >= order[level]) write(encode(lineLevel, message, fields));
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
