export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

const order: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 };

/** Structured log lines in logfmt, one per event, as dockerd writes them. */
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

/** A logger writing through `write` (standard error by default) everything at or above `level`. */
export function createLogger(
  level: LogLevel,
  write: (line: string) => void = (line) => void process.stderr.write(line),
): Logger {
  const at =
    (lineLevel: LogLevel) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      if (order[lineLevel] < order[level]) return;
      const rest = Object.entries(fields).map(([key, value]) => ` ${key}=${render(value)}`);
      write(`time=${new Date().toISOString()} level=${lineLevel} msg=${render(message)}${rest.join('')}\n`);
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
