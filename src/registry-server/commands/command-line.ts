import { parseArgs } from 'node:util';
import { EngineError } from '#errors';

export interface CommandLine {
  readonly positionals: readonly string[];
  /** Flags that were given, the last value of each. */
  readonly values: ReadonlyMap<string, string>;
  readonly switches: ReadonlySet<string>;
  /** `--set key=value` as often as wanted. */
  readonly settings: Readonly<Record<string, string>>;
}

/** Flags of one command. */
export interface FlagNames {
  readonly values: readonly string[];
  readonly switches: readonly string[];
}

/** @throws {@link EngineError} invalidArgument for unknown and incomplete flags. */
export function parseCommandLine(args: readonly string[], names: FlagNames): CommandLine {
  const options = Object.fromEntries([
    ...names.values.map((name) => [name, { type: 'string' as const }] as const),
    ...['help', ...names.switches].map((name) => [name, { type: 'boolean' as const }] as const),
    ['set', { type: 'string' as const, multiple: true }] as const,
  ]);
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const entries = Object.entries(values);
    const set = entries.flatMap(([name, value]) => (name === 'set' && Array.isArray(value) ? value.map(String) : []));
    return {
      positionals,
      values: new Map(entries.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value] as const] : []))),
      switches: new Set(entries.flatMap(([name, value]) => (value === true ? [name] : []))),
      settings: Object.fromEntries(set.map(splitSetting)),
    };
  } catch (cause) {
    if (cause instanceof EngineError) throw cause;
    throw usageError(cause instanceof Error ? cause.message : String(cause));
  }
}

function splitSetting(text: string): [string, string] {
  const separator = text.indexOf('=');
  if (separator < 1) throw usageError(`--set wants key=value, not "${text}"`);
  return [text.slice(0, separator), text.slice(separator + 1)];
}

export function usageError(message: string): EngineError {
  return new EngineError('invalidArgument', 'USAGE', `${message}\nSee 'berth registry --help'.`);
}
