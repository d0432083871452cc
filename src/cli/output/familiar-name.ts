/**
 * A reference as users write it: without `docker.io/library/` and without its digest. What is no reference comes back
 * as it is.
 */
export function familiarName(reference: string): string {
  return shortRepository(reference.replace(/@[a-z0-9+._-]+:[a-f0-9]{32,}$/i, ''));
}

/** `docker.io/library/x` as `x`, `docker.io/me/x` as `me/x`. */
export function shortRepository(reference: string): string {
  return reference.replace(/^(?:index\.)?docker\.io\/(?:library\/(?=[^/]+$))?/, '');
}

/** Repository and tag of `repo:tag`, shortened. */
export function splitTag(reference: string): { repository: string; tag: string } {
  const colon = reference.lastIndexOf(':');
  if (colon < 0 || reference.includes('/', colon)) return { repository: shortRepository(reference), tag: '' };
  return { repository: shortRepository(reference.slice(0, colon)), tag: reference.slice(colon + 1) };
}
