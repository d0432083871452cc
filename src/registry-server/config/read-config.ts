import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { EngineError } from '#errors';
import { configSchema, type RegistryConfig } from './schema.ts';

const environmentPrefix = 'BERTH_REGISTRY_';

function invalid(message: string, cause?: unknown): EngineError {
  return new EngineError('invalidArgument', 'INVALID_CONFIG', message, { cause });
}

export interface ConfigSources {
  /** The file of `--config`. */
  readonly file?: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** By dotted key: `tls.certificate`. */
  readonly flags: Readonly<Record<string, string>>;
}

/**
 * Joins file, environment and flags, the later ones winning: `BERTH_REGISTRY_UPLOADS_MAXOPEN=5` and `--set uploads.maxOpen=5` are
 * `{"uploads": {"maxOpen": 5}}` in the file. Lists are given as JSON.
 *
 * @throws {@link EngineError} invalidArgument naming the key that is unknown or wrong.
 */
export function readConfig(sources: ConfigSources): RegistryConfig {
  const values = sources.file === undefined ? {} : readFile(sources.file);
  for (const [name, value] of Object.entries(sources.environment)) {
    if (!name.startsWith(environmentPrefix) || value === undefined) continue;
    const key = environmentKey(name);
    if (key === undefined) throw invalid(`the environment variable ${name} names no key of the configuration`);
    setKey(values, key, value);
  }
  for (const [key, value] of Object.entries(sources.flags)) setKey(values, key, value);
  const result = v.safeParse(configSchema, values);
  if (result.success) return result.output;
  const problems = result.issues.map((issue) => `${v.getDotPath(issue) ?? '(all)'}: ${describeIssue(issue)}`);
  throw invalid(`the configuration is not valid:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
}

function describeIssue(issue: v.BaseIssue<unknown>): string {
  return issue.expected === 'never' ? 'there is no such key' : issue.message;
}

function readFile(path: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw invalid(`cannot read the configuration ${path}: ${cause instanceof Error ? cause.message : ''}`, cause);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(`${path} is not a JSON object`);
  return value as Record<string, unknown>;
}

/** All keys with a value of their own, dotted. */
function leafKeys(schema: unknown, prefix = ''): string[] {
  let inner = schema as { type: string; wrapped?: unknown; entries?: Record<string, unknown> };
  while (inner.wrapped !== undefined) inner = inner.wrapped as typeof inner;
  if (inner.entries === undefined) return [prefix];
  return Object.entries(inner.entries).flatMap(([key, entry]) =>
    leafKeys(entry, prefix === '' ? key : `${prefix}.${key}`),
  );
}

const keysByEnvironment = new Map(
  leafKeys(configSchema).map((key) => [`${environmentPrefix}${key.replaceAll('.', '_').toUpperCase()}`, key]),
);

function environmentKey(name: string): string | undefined {
  return keysByEnvironment.get(name);
}

/** Keys as documented, with their names in the environment. */
export function configKeys(): ReadonlyMap<string, string> {
  return new Map([...keysByEnvironment].map(([name, key]) => [key, name]));
}

function setKey(values: Record<string, unknown>, key: string, given: string): void {
  const parts = key.split('.');
  const last = parts.pop() ?? '';
  let at = values;
  for (const part of parts) {
    const next = at[part];
    const child = typeof next === 'object' && next !== null ? (next as Record<string, unknown>) : {};
    at[part] = child;
    at = child;
  }
  at[last] = /^(?:true|false|\d+|[[{].*)$/s.test(given) ? parseValue(key, given) : given;
}

function parseValue(key: string, given: string): unknown {
  try {
    return JSON.parse(given);
  } catch (cause) {
    throw invalid(`${key}: the value is not valid JSON`, cause);
  }
}
