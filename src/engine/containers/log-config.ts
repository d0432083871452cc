import { EngineError } from '#errors';

export interface LogLimits {
  maxSizeBytes: number;
  /** The current file among them. */
  maxFiles: number;
  compress: boolean;
}

const common = ['mode', 'max-buffer-size', 'max-size', 'max-file', 'compress'];
const options: Readonly<Record<string, readonly string[]>> = {
  'json-file': [...common, 'labels', 'labels-regex', 'env', 'env-regex', 'tag'],
  local: common,
};

/** Logs never grow without end: 20 MB in five files, unless the container says otherwise. */
const defaults = { maxSizeBytes: 20_000_000, maxFiles: 5 };
const units: Record<string, number> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/**
 * `max-size` and `max-file` of a container's log options. `max-size=-1` means no limit, as in Docker.
 *
 * @throws invalidArgument with Docker's texts.
 */
export function parseLogLimits(config: Readonly<Record<string, string>>): LogLimits {
  const { 'max-size': size, 'max-file': files, compress } = config;
  return {
    maxSizeBytes: size === undefined ? defaults.maxSizeBytes : parseSize(size),
    maxFiles: files === undefined ? defaults.maxFiles : parseCount(files),
    compress: compress === undefined ? false : parseFlag('compress', compress),
  };
}

function parseSize(text: string): number {
  if (text === '-1') return Number.MAX_SAFE_INTEGER;
  const match = /^(\d+(?:\.\d+)?) ?([kmg]?)i?b?$/i.exec(text);
  if (!match) throw invalid(`invalid size: '${text}'`);
  return Math.floor(Number(match[1]) * (units[(match[2] ?? '').toLowerCase()] ?? 1));
}

function parseCount(text: string): number {
  if (!/^\d+$/.test(text) || Number(text) < 1) {
    throw invalid('max-file cannot be less than 1');
  }
  return Number(text);
}

/** Go's `strconv.ParseBool`. */
function parseFlag(name: string, text: string): boolean {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text)) return false;
  throw invalid(`invalid value for log option ${name}: ${text}`);
}

function invalid(message: string): EngineError {
  return new EngineError('invalidArgument', 'INVALID_LOG_OPT', message);
}

/**
 * Checks a container's log options at its creation.
 *
 * @throws invalidArgument with Docker's texts.
 */
export function checkLogOptions(driver: string, config: Readonly<Record<string, string>>): void {
  const known = options[driver];
  if (!known) return;
  const { mode = 'blocking', 'max-buffer-size': buffer, ...others } = config;
  if (!['', 'blocking', 'non-blocking'].includes(mode)) throw invalid(`logger: logging mode not supported: ${mode}`);
  if (buffer !== undefined) {
    if (mode !== 'non-blocking') {
      throw invalid("logger: max-buffer-size option is only supported with 'mode=non-blocking'");
    }
    parseSize(buffer);
  }
  for (const key of Object.keys(others)) {
    if (known.includes(key)) continue;
    throw invalid(`unknown log opt '${key}' for ${driver === 'local' ? 'log driver local' : `${driver} log driver`}`);
  }
  parseLogLimits(config);
}
