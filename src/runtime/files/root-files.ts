import {
  closeSync,
  constants,
  fstatSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  readSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs';
import { posix } from 'node:path';
import { EngineError, findEngineError } from '#errors';
import { isErrno } from '#lib';

/** What is needed of the kernel; `files` of `#sys` is that. */
export interface OpenBeneath {
  /** openat2(2): an fd that the caller closes. */
  openAt2(directoryFd: number, path: string, how: { flags: number; resolve: number }): number;
}

const O_PATH = 0o10000000;
const RESOLVE_NO_MAGICLINKS = 2;
const RESOLVE_IN_ROOT = 16;
const MAX_LINKS = 40;
const MAX_TRIES = 16;

/**
 * A container's root directory as its processes would see it: no `..`, link or rename leads out.
 *
 * The path may be `/proc/<pid>/root`, which is the root with the mounts of a running container.
 */
export class RootFiles implements Disposable {
  readonly #fd: number;
  readonly #kernel: OpenBeneath;

  constructor(rootPath: string, kernel: OpenBeneath) {
    this.#fd = openSync(rootPath, O_PATH | constants.O_DIRECTORY);
    this.#kernel = kernel;
  }

  /** A regular file's text; undefined if there is none. @throws dataLoss when it is larger than the limit. */
  readText(path: string, maxBytes: number): string | undefined {
    const fd = this.#find(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    if (fd === undefined) return undefined;
    try {
      if (!fstatSync(fd).isFile()) return undefined;
      return readBounded(fd, path, maxBytes);
    } finally {
      closeSync(fd);
    }
  }

  /** What is there, links followed: its path without links, and whether it is a directory; undefined if there is nothing. */
  resolve(path: string): { path: string; isDirectory: boolean } | undefined {
    const fd = this.#find(path, O_PATH);
    if (fd === undefined) return undefined;
    try {
      const own = readlinkSync(`/proc/self/fd/${this.#fd}`);
      const full = readlinkSync(`/proc/self/fd/${fd}`);
      return { path: full.slice(own === '/' ? 0 : own.length) || '/', isDirectory: fstatSync(fd).isDirectory() };
    } finally {
      closeSync(fd);
    }
  }

  /** Where a directory really is, links followed, as an absolute path inside; undefined when there is none. */
  resolveDirectory(path: string): string | undefined {
    const found = this.resolve(path);
    return found?.isDirectory === true ? found.path : undefined;
  }

  /** Opens a regular file for reading; undefined if there is none. The caller closes it. */
  openFile(path: string): number | undefined {
    const fd = this.#find(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    if (fd === undefined || fstatSync(fd).isFile()) return fd;
    closeSync(fd);
    return undefined;
  }

  /** Removes an empty directory or file, without following a last link; what is not empty, not there or no such thing stays. */
  removeEmpty(path: string): void {
    const parent = this.#find(posix.dirname(path), O_PATH | constants.O_DIRECTORY);
    if (parent === undefined) return;
    const place = `/proc/self/fd/${parent}/${posix.basename(path)}`;
    try {
      const stat = lstatSync(place);
      if (stat.isDirectory()) rmdirSync(place);
      else if (stat.isFile() && stat.size === 0) unlinkSync(place);
    } catch (error) {
      if (!isErrno(error, 'ENOENT', 'ENOTEMPTY', 'EBUSY')) throw error;
    } finally {
      closeSync(parent);
    }
  }

  /**
   * Makes a directory and those above it, with mode 0755, through links even if they dangle.
   *
   * @param owner - of what is made; root by default.
   * @throws invalidArgument when something else is in its place.
   */
  ensureDirectory(path: string, owner?: { uid: number; gid: number }): void {
    let done = '';
    let rest = posix.normalize(path).split('/');
    for (let links = 0; rest.length > 0;) {
      const [name = '', ...others] = rest;
      rest = others;
      if (name === '') continue;
      const target = this.#makeDirectory(done, name, path, owner);
      if (target === undefined) {
        done = `${done}/${name}`;
        continue;
      }
      if (++links > MAX_LINKS) throw notADirectory(path);
      if (target.startsWith('/')) done = '';
      rest = [...target.split('/'), ...rest];
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  /** Returns where a dangling link leads that is in the way; undefined when the directory is there. */
  #makeDirectory(
    parent: string,
    name: string,
    wanted: string,
    owner: { uid: number; gid: number } | undefined,
  ): string | undefined {
    const flags = O_PATH | constants.O_DIRECTORY;
    const existing = this.#find(`${parent}/${name}`, flags, wanted);
    if (existing !== undefined) {
      closeSync(existing);
      return undefined;
    }
    const parentFd = this.#find(parent === '' ? '/' : parent, flags, wanted);
    if (parentFd === undefined) throw notADirectory(wanted);
    // One name below an open directory: neither a link nor a rename can lead this elsewhere.
    const place = `/proc/self/fd/${parentFd}/${name}`;
    try {
      mkdirSync(place, { mode: 0o755 });
      if (owner) lchownSync(place, owner.uid, owner.gid);
      return undefined;
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error;
      if (lstatSync(place).isSymbolicLink()) return readlinkSync(place);
      throw notADirectory(wanted);
    } finally {
      closeSync(parentFd);
    }
  }

  /** Undefined when it is not there; `directory` names what was wanted in the error when something else is in the way. */
  #find(path: string, flags: number, directory?: string): number | undefined {
    for (let tries = 1; ; tries++) {
      try {
        return this.#kernel.openAt2(this.#fd, path, { flags, resolve: RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS });
      } catch (error) {
        const errno = findEngineError(error)?.details['errno'];
        // Something was renamed meanwhile; the kernel cannot tell whether inside, so it asks to look again.
        if (errno === 'EAGAIN' && tries < MAX_TRIES) continue;
        if (errno === 'ENOENT') return undefined;
        if (directory === undefined && (errno === 'ENOTDIR' || errno === 'ELOOP')) return undefined;
        if (errno === 'ENOTDIR' && directory !== undefined) throw notADirectory(directory);
        throw error;
      }
    }
  }
}

function readBounded(fd: number, path: string, maxBytes: number): string {
  const chunks: Buffer[] = [];
  let total = 0;
  for (;;) {
    const chunk = Buffer.allocUnsafe(64 * 1024);
    const length = readSync(fd, chunk);
    if (length === 0) return Buffer.concat(chunks).toString('utf8');
    total += length;
    if (total > maxBytes) {
      throw new EngineError('dataLoss', 'FILE_TOO_LARGE', `${path} in the container is larger than ${maxBytes} bytes`);
    }
    chunks.push(chunk.subarray(0, length));
  }
}

function notADirectory(path: string): EngineError {
  return new EngineError('invalidArgument', 'NOT_A_DIRECTORY', `Cannot mkdir: ${path} is not a directory`);
}
