import type { Sys } from '#sys';
import { runProgram } from '../run-program.ts';

/** Those that look at their own seals and skip copying themselves when nobody can write to them. */
const SELF_COPYING = ['crun', 'runc'];

/**
 * A copy of a runtime in sealed memory, for as long as this process lives.
 *
 * crun and runc must not be overwritten from within a container (CVE-2019-5736), so each of their commands first makes
 * such a copy, or a read-only mount, and executes itself again from there. Started from one that is sealed already they
 * go on at once.
 *
 * @returns the path to execute; the program's own where the copy cannot be executed.
 */
export async function sealProgram(
  program: { path: string; version: { name: string } },
  files: Pick<Sys['files'], 'sealedCopy' | 'closeFd'>,
): Promise<string> {
  if (!SELF_COPYING.includes(program.version.name)) return program.path;
  let fd: number | undefined;
  try {
    fd = files.sealedCopy(program.path);
    const path = `/proc/${process.pid}/fd/${fd}`;
    const { exitCode } = await runProgram(path, ['--version']);
    if (exitCode === 0) return path;
  } catch {
    // A kernel that executes no memory, or no room for it: the program itself is as good, only slower.
  }
  if (fd !== undefined) files.closeFd(fd);
  return program.path;
}
