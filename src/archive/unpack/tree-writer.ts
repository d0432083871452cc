import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  rmSync,
  type Stats,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { EngineError } from '#errors';
import { type FilePath, hasErrno, type Sys } from '#sys';
import { archiveBreakout, invalidArchive } from '../errors.ts';
import { MAX_ID, type TarHeader } from '../tar/header.ts';
import type { TarHandler } from '../tar/parser.ts';
import { toFsPath } from '../tar/text.ts';
import { entryPath, parentOf } from './entry-path.ts';
import { Whiteouts, type WhiteoutMode } from './whiteouts.ts';

/** How entries become files; see `UnpackOptions`. */
export interface TreeWriterOptions {
  whiteouts: WhiteoutMode;
  noOverwriteDirNonDir: boolean;
  /** What the working directory is called, for error messages. */
  directory: string;
  owner: { uid: number; gid: number } | undefined;
}

const CREATE_FLAGS = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_NOFOLLOW;
const IMPLICIT_DIRECTORY_MODE = 0o755;
/** The overlay filesystem's own marks: a layer that brought them could graft one directory of the image onto another. */
const OVERLAY_XATTRS = 'trusted.overlay.';

interface OpenFile {
  fd: number;
  fsPath: FilePath;
  header: TarHeader;
  /** Where the next byte goes without seeking. */
  position: number;
}

/**
 * Makes files out of entries below the working directory, so it belongs in a thread whose root is that directory, or the
 * container around it, and whose umask is 0.
 *
 * Names are resolved by the kernel in that root: symbolic links on the way, also those the archive made itself, are
 * followed there and cannot lead out. The last part of a name is never followed.
 *
 * Each file costs open, write, futimens and close, and what its header asks for beyond that.
 */
export class TreeWriter implements TarHandler {
  readonly #files: Sys['files'];
  readonly #options: TreeWriterOptions;
  readonly #whiteouts: Whiteouts;
  /** Applied last, since every entry made inside a directory touches it. */
  readonly #directoryTimes: Map<string, bigint>;
  /** New files belong to root with just the mode given at creation, unless a directory hands down its group or ACL. */
  #inheriting: boolean;
  #open: OpenFile | undefined;
  #currentName: string;

  constructor(files: Sys['files'], options: TreeWriterOptions) {
    this.#files = files;
    this.#options = options;
    this.#directoryTimes = new Map();
    this.#whiteouts = new Whiteouts(options.whiteouts, files, (path) => this.#makeDirectories(path));
    this.#inheriting = options.whiteouts !== 'overlay' || handsDown(files);
    this.#open = undefined;
    this.#currentName = '';
  }

  /** The entry being made, for error messages. */
  get currentName(): string {
    return this.#currentName;
  }

  entry(header: TarHeader): void {
    this.#currentName = header.name;
    const path = entryPath(header.name);
    const owned = this.#withOwner(header);
    if (path === '') return this.#root(owned);
    if (this.#whiteouts.handle(path)) return;
    this.#whiteouts.unpacked(path);
    if (this.#options.noOverwriteDirNonDir) this.#refuseKindChange(path, owned);
    this.#make(path, owned);
  }

  data(chunk: Buffer, start: number, length: number, position: number): void {
    const open = this.#open;
    if (!open) return;
    const sequential = position === open.position;
    let written = 0;
    while (written < length) {
      written += writeSync(open.fd, chunk, start + written, length - written, sequential ? null : position + written);
    }
    // A positioned write leaves the file offset alone, so all later ones of a file with holes are positioned too.
    if (sequential) open.position = position + length;
  }

  entryEnd(): void {
    const open = this.#open;
    if (!open) return;
    const { fd, header, fsPath } = open;
    if (header.sizeBytes > open.position) ftruncateSync(fd, header.sizeBytes);
    const chown = this.#needsOwner(header);
    if (chown) fchownSync(fd, header.uid, header.gid);
    if (this.#inheriting || (chown && (header.mode & 0o6000) !== 0)) fchmodSync(fd, header.mode);
    this.#setXattrs(fsPath, header);
    this.#files.futimes(fd, { accessTimeNs: header.mtimeNs, modifyTimeNs: header.mtimeNs });
    this.#open = undefined;
    closeSync(fd);
  }

  /** Sets what could not be set before the last entry. */
  finish(): void {
    for (const [path, timeNs] of [...this.#directoryTimes].toReversed()) {
      try {
        this.#files.lutimes(toFsPath(`./${path}`), { accessTimeNs: timeNs, modifyTimeNs: timeNs });
      } catch (error) {
        if (!hasErrno(error, 'ENOENT', 'ENOTDIR')) throw error;
      }
    }
  }

  /** Gives up: closes what is open. Safe at any time. */
  abandon(): void {
    if (this.#open) closeSync(this.#open.fd);
    this.#open = undefined;
  }

  #withOwner(header: TarHeader): TarHeader {
    const owned = this.#options.owner ? { ...header, ...this.#options.owner } : header;
    if (owned.uid < 0 || owned.gid < 0 || owned.uid > MAX_ID || owned.gid > MAX_ID) {
      throw invalidArchive(`owner ${owned.uid}:${owned.gid} of ${JSON.stringify(header.name)} is out of range`);
    }
    return owned;
  }

  /** The entry of the root itself tells how it looks in a layer; when copying into a directory that keeps its own. */
  #root(header: TarHeader): void {
    if (header.type !== 'directory') throw invalidArchive(`${JSON.stringify(header.name)} would replace the root`);
    if (this.#options.whiteouts === 'overlay') this.#finishDirectory('', '.', header, true);
  }

  #make(path: string, header: TarHeader): void {
    const fsPath = toFsPath(`./${path}`);
    switch (header.type) {
      case 'file': {
        const fd = this.#create(path, () => openSync(fsPath, CREATE_FLAGS, header.mode));
        this.#open = { fd, fsPath, header, position: 0 };
        return;
      }
      case 'directory':
        this.#makeDirectory(path, fsPath, header);
        return;
      case 'hardlink':
        this.#makeHardlink(path, fsPath, header);
        return;
      case 'symlink':
        this.#create(path, () => symlinkSync(toFsPath(header.linkName), fsPath));
        break;
      case 'fifo':
        this.#create(path, () => this.#files.mkfifo(fsPath, header.mode));
        break;
      case 'char':
      case 'block': {
        const type = header.type === 'char' ? constants.S_IFCHR : constants.S_IFBLK;
        const { mode, deviceMajor, deviceMinor } = header;
        this.#create(path, () => this.#files.mknod(fsPath, type | mode, deviceMajor, deviceMinor));
      }
    }
    this.#finishNode(fsPath, header);
  }

  #makeDirectory(path: string, fsPath: FilePath, header: TarHeader): void {
    let existing: Stats | undefined;
    this.#create(path, () => {
      try {
        mkdirSync(fsPath, header.mode);
      } catch (error) {
        if (!hasErrno(error, 'EEXIST')) throw error;
        existing = lstatSync(fsPath);
        if (!existing.isDirectory()) throw error;
      }
    });
    if (existing && this.#options.whiteouts === 'overlay') this.#whiteouts.replaced(fsPath, existing);
    this.#finishDirectory(path, fsPath, header, existing?.isDirectory() ?? false);
  }

  #finishDirectory(path: string, fsPath: FilePath, header: TarHeader, existed: boolean): void {
    if (existed || this.#needsOwner(header)) this.#files.lchown(fsPath, header.uid, header.gid);
    // mkdir(2) takes no setuid and setgid bits.
    if (existed || this.#inheriting || (header.mode & 0o6000) !== 0) chmodSync(fsPath, header.mode);
    if ((header.mode & 0o2000) !== 0) this.#inheriting = true;
    this.#setXattrs(fsPath, header);
    this.#directoryTimes.delete(path);
    this.#directoryTimes.set(path, header.mtimeNs);
  }

  #finishNode(fsPath: FilePath, header: TarHeader): void {
    if (this.#needsOwner(header)) this.#files.lchown(fsPath, header.uid, header.gid);
    if (header.type !== 'symlink' && (this.#inheriting || (header.mode & 0o6000) !== 0)) chmodSync(fsPath, header.mode);
    this.#setXattrs(fsPath, header);
    this.#files.lutimes(fsPath, { accessTimeNs: header.mtimeNs, modifyTimeNs: header.mtimeNs });
  }

  /** The target is another name in the archive's own tree; link(2) does not follow it if it is a symbolic link. */
  #makeHardlink(path: string, fsPath: FilePath, header: TarHeader): void {
    const target = hardlinkTarget(header);
    if (target !== path) this.#create(path, () => linkSync(toFsPath(`./${target}`), fsPath), toFsPath(`./${target}`));
  }

  /** Runs `make`, and once more each after making the directories above and after removing what is in the way. */
  #create<T>(path: string, make: () => T, needed?: FilePath): T {
    let parentsMade = false;
    for (let attempt = 0; ; attempt++) {
      try {
        return make();
      } catch (error) {
        if (hasErrno(error, 'ENOENT') && !parentsMade && path.includes('/')) {
          if (needed !== undefined) lstatSync(needed);
          this.#makeDirectories(parentOf(path));
          parentsMade = true;
        } else if (hasErrno(error, 'EEXIST') && attempt < 2) {
          this.#clear(path);
        } else {
          throw error;
        }
      }
    }
  }

  /** Removes what an entry replaces. */
  #clear(path: string): void {
    const fsPath = toFsPath(`./${path}`);
    if (lstatSync(fsPath).isDirectory()) {
      for (const known of this.#directoryTimes.keys()) {
        if (known === path || known.startsWith(`${path}/`)) this.#directoryTimes.delete(known);
      }
    }
    rmSync(fsPath, { recursive: true });
  }

  /** Parents that the archive does not describe (yet) belong to root. */
  #makeDirectories(path: string): void {
    if (path === '') return;
    const fsPath = toFsPath(`./${path}`);
    try {
      mkdirSync(fsPath, IMPLICIT_DIRECTORY_MODE);
    } catch (error) {
      if (hasErrno(error, 'ENOENT') && path.includes('/')) {
        this.#makeDirectories(parentOf(path));
        mkdirSync(fsPath, IMPLICIT_DIRECTORY_MODE);
      } else if (!hasErrno(error, 'EEXIST')) {
        throw error;
      }
    }
  }

  #refuseKindChange(path: string, header: TarHeader): void {
    const existing = lstatSync(toFsPath(`./${path}`), { throwIfNoEntry: false });
    if (!existing || existing.isDirectory() === (header.type === 'directory')) return;
    const [kind, other] = existing.isDirectory() ? ['directory', 'non-directory'] : ['non-directory', 'directory'];
    const directory = this.#options.directory === '/' ? '' : this.#options.directory;
    const whole = JSON.stringify(`${directory}/${path}`);
    const message = `cannot overwrite ${kind} ${whole} with ${other} ${JSON.stringify(directory || '/')}`;
    throw new EngineError('invalidArgument', 'ARCHIVE_KIND_CHANGE', message);
  }

  #needsOwner(header: TarHeader): boolean {
    return this.#inheriting || header.uid !== 0 || header.gid !== 0;
  }

  /** After the owner, whose change would drop capabilities. What the filesystem does not know is left out, as in Docker. */
  #setXattrs(fsPath: FilePath, header: TarHeader): void {
    if (header.xattrs.size === 0) return;
    for (const [name, value] of header.xattrs) {
      if (name.startsWith(OVERLAY_XATTRS)) continue;
      try {
        this.#files.lsetxattr(fsPath, name, value);
      } catch (error) {
        if (!hasErrno(error, 'EOPNOTSUPP', 'EPERM')) throw error;
      }
      if (name === 'system.posix_acl_default') this.#inheriting = true;
    }
  }
}

function hardlinkTarget(header: TarHeader): string {
  try {
    return entryPath(header.linkName);
  } catch (error) {
    const message = `invalid hardlink ${JSON.stringify(header.name)} -> ${JSON.stringify(header.linkName)}`;
    throw Object.assign(archiveBreakout(message, header.name), { cause: error });
  }
}

/** Whether the root itself gives its group or a default ACL to what is made in it. */
function handsDown(files: Sys['files']): boolean {
  return (lstatSync('.').mode & 0o2000) !== 0 || files.lgetxattr('.', 'system.posix_acl_default') !== undefined;
}
