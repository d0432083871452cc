import { archiveBreakout, invalidArchive } from '../errors.ts';

/** What has to be looked at part by part: empty, `.` and `..` parts. */
const UNUSUAL = /(?:^|\/)\.{0,2}(?:\/|$)/;

/**
 * The path an entry's name stands for, relative to the root: no leading slash, no `.` or `..`, empty for the root itself.
 *
 * A leading slash is dropped, as Docker and tar do.
 *
 * @throws {@link EngineError} invalidArgument for a name that would leave the root, or with a NUL inside.
 */
export function entryPath(name: string): string {
  if (name.includes('\0')) throw invalidArchive('a name contains a NUL');
  let end = name.length;
  while (end > 0 && name[end - 1] === '/') end--;
  const start = name.startsWith('./') && end > 2 ? 2 : 0;
  const plain = name.slice(start, end);
  return plain !== '' && !UNUSUAL.test(plain) ? plain : cleanPath(name);
}

function cleanPath(name: string): string {
  const parts: string[] = [];
  for (const part of name.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined)
      throw archiveBreakout(`invalid name ${JSON.stringify(name)}: it is outside of the root`, name);
  }
  return parts.join('/');
}

/** Directory part of a clean path; empty for the root. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0));
}

/** Last part of a clean path. */
export function baseOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
