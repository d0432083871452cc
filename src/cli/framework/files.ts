import { openSync } from 'node:fs';
import { isErrno } from '#lib';
import { CliError } from './errors.ts';

const words: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EISDIR: 'is a directory',
  ENOTDIR: 'not a directory',
};

/** Opens a file and returns its descriptor, which the caller closes. @throws CliError in Go's words. */
export function openForReading(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    throw fileError('open', path, error);
  }
}

/** A failed file operation as Go tells it: `open /x: no such file or directory`. */
export function fileError(action: string, path: string, error: unknown): CliError {
  const known = Object.keys(words).find((code) => isErrno(error, code));
  const why = known === undefined ? (error instanceof Error ? error.message : String(error)) : words[known];
  return new CliError(`${action} ${path}: ${why}`, 1, { cause: error });
}
