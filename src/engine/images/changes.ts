import { EngineError } from '#errors';
import { parseGoDuration } from '#lib';
import type { oci } from '#spec';

type RunConfig = oci.RunConfig;

function failed(message: string): EngineError {
  return new EngineError('invalidArgument', 'INVALID_CHANGE', message);
}

/**
 * Applies Dockerfile instructions (`--change` of import and commit) to an image's run configuration.
 *
 * @throws invalidArgument for an instruction that is not allowed there or malformed, with Docker's texts.
 */
export function applyChanges(config: RunConfig, changes: readonly string[]): RunConfig {
  return changes.reduce((current, change) => applyChange(current, change), config);
}

function applyChange(config: RunConfig, change: string): RunConfig {
  const match = /^\s*([A-Za-z]+)(?:\s+([\s\S]*?))?\s*$/.exec(change);
  if (!match) throw failed(`file with no instructions`);
  const name = (match[1] ?? '').toUpperCase();
  const rest = match[2] ?? '';
  if (rest === '' && name !== 'CMD' && name !== 'ENTRYPOINT') throw failed(`${name} requires at least one argument`);
  switch (name) {
    case 'CMD':
      return { ...config, Cmd: parseCommand(rest) };
    case 'ENTRYPOINT':
      return { ...config, Entrypoint: parseCommand(rest) };
    case 'ENV':
      return { ...config, Env: mergeEnv(config.Env ?? [], parsePairs(name, rest)) };
    case 'LABEL':
      return { ...config, Labels: { ...config.Labels, ...Object.fromEntries(parsePairs(name, rest)) } };
    case 'EXPOSE':
      return { ...config, ExposedPorts: { ...config.ExposedPorts, ...parsePorts(rest) } };
    case 'USER':
      return { ...config, User: single(name, rest) };
    case 'WORKDIR':
      return { ...config, WorkingDir: joinPath(config.WorkingDir ?? '', single(name, rest)) };
    case 'VOLUME':
      return { ...config, Volumes: { ...config.Volumes, ...toSet(parseList(rest)) } };
    case 'STOPSIGNAL':
      return { ...config, StopSignal: single(name, rest) };
    case 'SHELL':
      return { ...config, Shell: parseJsonList(rest) ?? refuse('SHELL requires the arguments to be in JSON form') };
    case 'ONBUILD':
      return { ...config, OnBuild: [...(config.OnBuild ?? []), checkTrigger(rest)] };
    case 'HEALTHCHECK':
      return { ...config, Healthcheck: parseHealthcheck(rest) };
    default:
      throw failed(`${name.toLowerCase()} is not a valid change command`);
  }
}

function refuse(message: string): never {
  throw failed(message);
}

function single(name: string, rest: string): string {
  const [word = '', ...more] = splitWords(rest);
  if (more.length > 0) throw failed(`${name} requires exactly one argument`);
  return word;
}

/** Exec form (`["a","b"]`) as it is, shell form through `/bin/sh -c`. */
function parseCommand(rest: string): string[] {
  if (rest === '') return [];
  return parseJsonList(rest) ?? ['/bin/sh', '-c', rest];
}

function parseList(rest: string): string[] {
  return parseJsonList(rest) ?? splitWords(rest);
}

function parseJsonList(text: string): string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) && parsed.every((item) => typeof item === 'string') ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** Words as the Dockerfile language splits them: blanks, quotes, backslash escapes. */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let i = 0; i < text.length; i++) {
    const character = text.charAt(i);
    if (quote !== '') {
      if (character === quote) quote = '';
      else if (character === '\\' && quote === '"' && i + 1 < text.length) word = (word ?? '') + text.charAt(++i);
      else word = (word ?? '') + character;
    } else if (character === '"' || character === "'") {
      quote = character;
      word ??= '';
    } else if (character === '\\' && i + 1 < text.length) {
      word = (word ?? '') + text.charAt(++i);
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? '') + character;
    }
  }
  if (quote !== '')
    throw failed(`unexpected end of statement while looking for matching ${quote === '"' ? 'double' : 'single'}-quote`);
  if (word !== undefined) words.push(word);
  return words;
}

/** `a=1 b="2 3"`, or the old form `a 1 2`, which takes the rest of the line as the value. */
function parsePairs(name: string, rest: string): [string, string][] {
  const words = splitWords(rest);
  const [first = ''] = words;
  if (!first.includes('=')) {
    const value = rest.replace(/^\S+\s*/, '');
    if (words.length < 2) throw failed(`${name} must have two arguments`);
    return [[first, value]];
  }
  return words.map((word) => {
    const separator = word.indexOf('=');
    if (separator < 0) {
      throw failed(`Syntax error - can't find = in ${JSON.stringify(word)}. Must be of the form: name=value`);
    }
    if (separator === 0) throw failed(`${name} names can not be blank`);
    return [word.slice(0, separator), word.slice(separator + 1)];
  });
}

function mergeEnv(env: readonly string[], pairs: readonly [string, string][]): string[] {
  const merged = [...env];
  for (const [key, value] of pairs) {
    const at = merged.findIndex((entry) => entry.startsWith(`${key}=`));
    if (at < 0) merged.push(`${key}=${value}`);
    else merged[at] = `${key}=${value}`;
  }
  return merged;
}

function parsePorts(rest: string): Record<string, Record<string, never>> {
  const ports = splitWords(rest).flatMap((word) => {
    const match = /^(\d+)(?:-(\d+))?(?:\/(tcp|udp|sctp))?$/i.exec(word);
    const low = Number(match?.[1]);
    const high = Number(match?.[2] ?? match?.[1]);
    if (!match || low > 65_535 || high > 65_535 || high < low) throw failed(`invalid containerPort: ${word}`);
    const protocol = (match[3] ?? 'tcp').toLowerCase();
    return Array.from({ length: high - low + 1 }, (_, offset) => `${low + offset}/${protocol}`);
  });
  return toSet(ports);
}

function toSet(items: readonly string[]): Record<string, Record<string, never>> {
  return Object.fromEntries(items.map((item) => [item, {}]));
}

function joinPath(base: string, path: string): string {
  if (path.startsWith('/')) return path;
  return `${base === '' || base === '/' ? '' : base}/${path}`;
}

function checkTrigger(rest: string): string {
  const instruction = /^\w+/.exec(rest)?.[0].toUpperCase() ?? '';
  if (instruction === 'ONBUILD') throw failed("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  if (instruction === 'FROM' || instruction === 'MAINTAINER') {
    throw failed(`${instruction} isn't allowed as an ONBUILD trigger`);
  }
  return rest;
}

const healthOptions = {
  interval: 'Interval',
  timeout: 'Timeout',
  'start-period': 'StartPeriod',
  'start-interval': 'StartInterval',
} as const;

function parseHealthcheck(rest: string): NonNullable<RunConfig['Healthcheck']> {
  const health: NonNullable<RunConfig['Healthcheck']> = {};
  let remaining = rest;
  for (;;) {
    const option = /^--([a-z-]+)=(\S+)\s+/.exec(remaining);
    if (!option) break;
    applyHealthOption(health, option[1] ?? '', option[2] ?? '');
    remaining = remaining.slice(option[0].length);
  }
  const [, kind = '', command = ''] = /^(\w+)\s*([\s\S]*)$/.exec(remaining) ?? [];
  switch (kind.toUpperCase()) {
    case 'NONE':
      if (command !== '') throw failed('HEALTHCHECK NONE takes no arguments');
      return { ...health, Test: ['NONE'] };
    case 'CMD': {
      if (command === '') throw failed('Missing command after HEALTHCHECK CMD');
      const list = parseJsonList(command);
      return { ...health, Test: list ? ['CMD', ...list] : ['CMD-SHELL', command] };
    }
    default:
      throw failed(`Unknown type ${JSON.stringify(kind)} in HEALTHCHECK (try CMD)`);
  }
}

function applyHealthOption(health: NonNullable<RunConfig['Healthcheck']>, name: string, value: string): void {
  if (name === 'retries') {
    if (!/^\d+$/.test(value)) throw failed(`invalid retries: ${value}`);
    health.Retries = Number(value);
    return;
  }
  if (!(name in healthOptions)) throw failed(`Unknown flag: ${name}`);
  health[healthOptions[name as keyof typeof healthOptions]] = parseDuration(value);
}

function parseDuration(text: string): number {
  const nano = parseGoDuration(text);
  if (nano === undefined) throw failed(`time: invalid duration ${JSON.stringify(text)}`);
  return Number(nano);
}
