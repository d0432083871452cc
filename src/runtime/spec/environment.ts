const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export interface EnvironmentInput {
  /** The container's `Env`: `KEY=value`. */
  env: readonly string[];
  hostname: string;
  tty: boolean;
}

/** A process's environment by Docker's rules: PATH, HOSTNAME and TERM are defaults that the container may override. */
export function buildEnvironment({ env, hostname, tty }: EnvironmentInput): string[] {
  const defaults = [`PATH=${DEFAULT_PATH}`, `HOSTNAME=${hostname}`, ...(tty ? ['TERM=xterm'] : [])];
  return mergeEnvironment(defaults, env);
}

/** With a `HOME`, if there is none. */
export function withHome(env: readonly string[], home: string): string[] {
  return env.some((entry) => keyOf(entry) === 'HOME') ? [...env] : [...env, `HOME=${home}`];
}

/** The value of a variable; undefined if it is not set. */
export function valueOf(env: readonly string[], key: string): string | undefined {
  return env.find((entry) => keyOf(entry) === key)?.slice(key.length + 1);
}

/**
 * `overrides` put over `defaults`: a known key keeps its place, a new one is appended, and a key without `=` removes
 * the default.
 */
export function mergeEnvironment(defaults: readonly string[], overrides: readonly string[]): string[] {
  const merged: (string | undefined)[] = [...defaults];
  const places = new Map(defaults.map((entry, index) => [keyOf(entry), index]));
  for (const entry of overrides) {
    const key = keyOf(entry);
    const value = entry.includes('=') ? entry : undefined;
    const place = places.get(key);
    if (place !== undefined) merged[place] = value;
    else if (value !== undefined) places.set(key, merged.push(value) - 1);
  }
  return merged.filter((entry) => entry !== undefined);
}

function keyOf(entry: string): string {
  const end = entry.indexOf('=');
  return end < 0 ? entry : entry.slice(0, end);
}
