import { open, readdir, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isErrno } from '#lib';

export interface LogFile {
  path: string;
  inode: bigint;
  /** Nanoseconds since the epoch. */
  modifiedAt: bigint;
}

/**
 * The files of one log, oldest first: `<path>.4` … `<path>.1`, `<path>`.
 *
 * While a rotation is under way the newest rotated name and the path itself are one file, which is listed once.
 */
export async function listLogFiles(path: string): Promise<LogFile[]> {
  const name = basename(path);
  const numbers = (await ifThere(() => readdir(dirname(path))))
    ?.filter((entry) => entry.startsWith(`${name}.`) && /^\d+$/.test(entry.slice(name.length + 1)))
    .map((entry) => Number(entry.slice(name.length + 1)))
    .sort((a, b) => b - a);
  const paths = [...(numbers ?? []).map((number) => `${path}.${number}`), path];
  const files = await Promise.all(paths.map(statLogFile));
  const found = files.filter((file) => file !== undefined);
  return found.filter((file, index) => found.findIndex((other) => other.inode === file.inode) === index);
}

/** Opens exactly this file; undefined if a rotation moved or removed it meanwhile. */
export async function openLogFile(file: LogFile): Promise<FileHandle | undefined> {
  const handle = await ifThere(() => open(file.path, 'r'));
  if (handle === undefined) return undefined;
  if ((await handle.stat({ bigint: true })).ino === file.inode) return handle;
  await handle.close();
  return undefined;
}

/** Undefined if there is no such file. */
export async function statLogFile(path: string): Promise<LogFile | undefined> {
  const stats = await ifThere(() => stat(path, { bigint: true }));
  return stats && { path, inode: stats.ino, modifiedAt: stats.mtimeNs };
}

async function ifThere<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Where the log of a container lies among its rotated siblings. */
export function rotatedPath(path: string, number: number): string {
  return join(dirname(path), `${basename(path)}.${number}`);
}
