import { readFileSync } from 'node:fs';

/** The version of this engine, from its package. */
export function engineVersion(): string {
  // The sources lie in src/daemon, the build in dist/daemon: package.json is two levels up from either.
  const parsed: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const version: unknown =
    typeof parsed === 'object' && parsed !== null && 'version' in parsed ? parsed.version : undefined;
  return typeof version === 'string' ? version : 'unknown';
}
