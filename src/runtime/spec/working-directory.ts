import { posix } from 'node:path';
import { EngineError } from '#errors';

/** Through these a process could reach descriptors of whoever started it (CVE-2024-21626). */
const DESCRIPTORS = /^\/+proc\/+(self|thread-self|\d+)\/+(fd|cwd|root|task\/+\d+\/+(fd|cwd|root))(\/|$)/;

/** The working directory to start in, clean; `/` for none. @throws invalidArgument for one that is not absolute or a trap. */
export function checkWorkingDirectory(path: string): string {
  if (path === '') return '/';
  const clean = posix.normalize(path).replace(/(?<=.)\/$/, '');
  if (!clean.startsWith('/')) {
    throw new EngineError(
      'invalidArgument',
      'WORKDIR_NOT_ABSOLUTE',
      `the working directory '${path}' is invalid, it needs to be an absolute path`,
    );
  }
  if (DESCRIPTORS.test(clean)) {
    throw new EngineError('invalidArgument', 'WORKDIR_FORBIDDEN', `the working directory '${path}' is not allowed`);
  }
  return clean;
}
