import { EngineError } from '#errors';
import { logDrivers, parseBool, parseSizeBytes } from '#monitor';
import type { LogConfig } from '#spec';

export interface LogLimits {
  maxSizeBytes: number;
  /** The current file among them. */
  maxFiles: number;
  compress: boolean;
}

const sizes = ['max-size', 'max-file', 'compress'];
/** Of every driver: how it is fed, and what is kept here of what it sends away. */
const common = ['mode', 'max-buffer-size', 'cache-disabled', ...sizes.map((name) => `cache-${name}`)];
const attributes = ['labels', 'labels-regex', 'env', 'env-regex', 'tag'];
const kept: Readonly<Record<string, readonly string[]>> = {
  'json-file': [...sizes, ...attributes],
  local: sizes,
};

/** Names for `info`. */
export const logDriverNames: readonly string[] = [...Object.keys(kept), ...Object.keys(logDrivers)].toSorted();

/** Logs never grow without end: 20 MB in five files, unless the container says otherwise. */
const defaults = { maxSizeBytes: 20_000_000, maxFiles: 5 };

/**
 * How much of a container's output is kept on disk. `max-size=-1` means no limit, as in Docker.
 *
 * @throws invalidArgument with Docker's texts.
 */
export function parseLogLimits({ Type: driver, Config: config }: LogConfig): LogLimits {
  const prefix = driver in logDrivers ? 'cache-' : '';
  const [size, files, compress] = sizes.map((name) => config[prefix + name]);
  return {
    maxSizeBytes: size === undefined ? defaults.maxSizeBytes : parseSize(size),
    maxFiles: files === undefined ? defaults.maxFiles : parseCount(files),
    compress: compress === undefined ? false : parseFlag('compress', compress),
  };
}

/** How much a receiver may be behind before the oldest output is dropped: what is kept anyway, or `max-buffer-size`. */
export function maxUnreadBytes(config: LogConfig): number {
  const buffer = config.Config['max-buffer-size'];
  return buffer === undefined ? defaults.maxSizeBytes * defaults.maxFiles : parseSizeBytes(buffer);
}

/** Whether `logs` has something to read. */
export function keepsLog({ Type: driver, Config: config }: LogConfig): boolean {
  if (driver === 'none') return false;
  return !(driver in logDrivers && parseBool(config['cache-disabled'] ?? '') === true);
}

function parseSize(text: string): number {
  return text === '-1' ? Number.MAX_SAFE_INTEGER : parseSizeBytes(text);
}

function parseCount(text: string): number {
  if (!/^\d+$/.test(text) || Number(text) < 1) {
    throw invalid('max-file cannot be less than 1');
  }
  return Number(text);
}

function parseFlag(name: string, text: string): boolean {
  const value = parseBool(text);
  if (value === undefined) throw invalid(`invalid value for log option ${name}: ${text}`);
  return value;
}

function invalid(message: string): EngineError {
  return new EngineError('invalidArgument', 'INVALID_LOG_OPT', message);
}

/**
 * A container's log driver and its options, where it does not say otherwise the daemon's. Options of the daemon's driver
 * do not go to another, except those for what is kept here.
 */
export function mergeLogConfig(own: LogConfig, daemon: LogConfig): LogConfig {
  const type = own.Type === '' ? daemon.Type : own.Type;
  const inherited = Object.entries(daemon.Config).filter(([name]) => type === daemon.Type || name.startsWith('cache-'));
  return { Type: type, Config: { ...Object.fromEntries(inherited), ...own.Config } };
}

/**
 * Checks a container's log driver and options at its creation.
 *
 * @throws invalidArgument with Docker's texts.
 */
export function checkLogConfig(logConfig: LogConfig): void {
  const { Type: driver, Config: config } = logConfig;
  if (driver === 'none') return;
  checkCommonOptions(config);
  const known =
    kept[driver] ?? (driver in logDrivers ? [...attributes, ...(logDrivers[driver]?.options ?? [])] : undefined);
  if (!known) throw invalid(`logger: no log driver named '${driver}' is registered`);
  for (const key of Object.keys(config)) {
    if (!known.includes(key) && !common.includes(key)) throw invalid(unknownOption(driver, key));
  }
  parseLogLimits(logConfig);
  logDrivers[driver]?.check(config);
}

function checkCommonOptions(config: LogConfig['Config']): void {
  const { mode = '', 'max-buffer-size': buffer, 'cache-disabled': disabled = '' } = config;
  if (!['', 'blocking', 'non-blocking'].includes(mode)) throw invalid(`logger: logging mode not supported: ${mode}`);
  if (buffer !== undefined) {
    if (mode !== 'non-blocking') {
      throw invalid("logger: max-buffer-size option is only supported with 'mode=non-blocking'");
    }
    try {
      parseSizeBytes(buffer);
    } catch (cause) {
      throw invalid(`error parsing option max-buffer-size: ${cause instanceof Error ? cause.message : String(cause)}`);
    }
  }
  if (disabled !== '' && parseBool(disabled) === undefined) {
    throw invalid(`invalid value for option cache-disabled: ${disabled}`);
  }
}

function unknownOption(driver: string, key: string): string {
  if (driver === 'local') return `unknown log opt '${key}' for log driver local`;
  return `unknown log opt ${driver === 'gelf' ? JSON.stringify(key) : `'${key}'`} for ${driver} log driver`;
}
