/** Newest API version served, as the number after `1.`. */
export const newestMinor = 51;
/** Oldest API version served, as the number after `1.`. */
export const oldestMinor = 24;
export const newestVersion: string = `1.${newestMinor}`;
export const oldestVersion: string = `1.${oldestMinor}`;

/** A request path without its version prefix. */
export interface VersionedPath {
  /** As the client wrote it (`1.41`); undefined without prefix. */
  version: string | undefined;
  path: string;
}

const slash = 47;
const dot = 46;
const letterV = 118;

function isVersionCharacter(code: number): boolean {
  return code === dot || (code >= 48 && code <= 57);
}

/** Splits `/v1.41/info` into version and path; `/volumes` has no version. */
export function splitVersion(path: string): VersionedPath {
  if (path.charCodeAt(1) !== letterV) return { version: undefined, path };
  let end = 2;
  while (isVersionCharacter(path.charCodeAt(end))) end++;
  if (end === 2 || path.charCodeAt(end) !== slash) return { version: undefined, path };
  return { version: path.slice(2, end), path: path.slice(end) };
}

/**
 * Orders a version against `1.<minor>` as dotted numbers, missing parts being zero.
 *
 * @returns negative, zero or positive.
 */
export function compareVersion(version: string, minor: number): number {
  const [major = 0, own = 0, ...rest] = version.split('.').map(Number);
  if (major !== 1) return major - 1;
  if (own !== minor) return own - minor;
  return rest.some((part) => part > 0) ? 1 : 0;
}
