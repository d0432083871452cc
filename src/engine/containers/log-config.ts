import { EngineError } from '#errors';

export interface LogLimits {
  maxSizeBytes: number;
  /** The current file among them. */
  maxFiles: number;
}

/** Logs never grow without end: 20 MB in five files, unless the container says otherwise. */
const defaults: LogLimits = { maxSizeBytes: 20_000_000, maxFiles: 5 };
const units: Record<string, number> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/**
 * `max-size` and `max-file` of a container's log options. `max-size=-1` means no limit, as in Docker.
 *
 * @throws invalidArgument with Docker's texts.
 */
export function parseLogLimits(config: Readonly<Record<string, string>>): LogLimits {
  const { 'max-size': size, 'max-file': files } = config;
  return {
    maxSizeBytes: size === undefined ? defaults.maxSizeBytes : parseSize(size),
    maxFiles: files === undefined ? defaults.maxFiles : parseCount(files),
  };
}

function parseSize(text: string): number {
  if (text === '-1') return Number.MAX_SAFE_INTEGER;
  const match = /^(\d+(?:\.\d+)?) ?([kmg]?)i?b?$/i.exec(text);
  if (!match) throw new EngineError('invalidArgument', 'INVALID_LOG_OPT', `invalid size: '${text}'`);
  return Math.floor(Number(match[1]) * (units[(match[2] ?? '').toLowerCase()] ?? 1));
}

function parseCount(text: string): number {
  if (!/^\d+$/.test(text) || Number(text) < 1) {
    throw new EngineError('invalidArgument', 'INVALID_LOG_OPT', 'max-file cannot be less than 1');
  }
  return Number(text);
}
