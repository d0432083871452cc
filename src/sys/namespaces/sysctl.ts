import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno } from '../errno.ts';

/**
 * A kernel setting by its path below `/proc/sys` (`net/ipv4/ip_forward`), trimmed; undefined when there is none.
 * Those of `net/` belong to the network namespace that this thread is in.
 */
export function readSysctl(name: string): string | undefined {
  try {
    return readFileSync(join('/proc/sys', name), 'utf8').trim();
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/**
 * Writes a kernel setting; see {@link readSysctl}.
 *
 * @throws Node's error: ENOENT where the kernel has no such setting, EINVAL for a value it refuses.
 */
export function writeSysctl(name: string, value: string): void {
  writeFileSync(join('/proc/sys', name), value);
}
