import { constants, lstatSync, readdirSync, rmSync, type Stats } from 'node:fs';
import { type FilePath, hasErrno, type Sys } from '#sys';
import { invalidArchive } from '../errors.ts';
import { decodeText, toFsPath } from '../tar/text.ts';
import { baseOf, parentOf } from './entry-path.ts';

export type WhiteoutMode = 'overlay' | 'literal' | 'apply';

const PREFIX = '.wh.';
/** Names of AUFS's own; of these only the opaque mark means something to others. */
const META_PREFIX = '.wh..wh.';
const OPAQUE = '.wh..wh..opq';
const OPAQUE_XATTR = 'trusted.overlay.opaque';
const YES = Buffer.from('y');

/**
 * What `.wh.` entries of a layer do.
 *
 * They hide what lower layers have; what the same layer unpacks stays, whichever comes first.
 *
 * @see OCI image-spec, "Image Layer Filesystem Changeset", Whiteouts
 */
export class Whiteouts {
  readonly #mode: WhiteoutMode;
  readonly #files: Sys['files'];
  readonly #makeDirectories: (path: string) => void;
  /** Paths of this archive with all their parents; kept for `apply` only. */
  readonly #unpacked: Set<string>;

  constructor(mode: WhiteoutMode, files: Sys['files'], makeDirectories: (path: string) => void) {
    this.#mode = mode;
    this.#files = files;
    this.#makeDirectories = makeDirectories;
    this.#unpacked = new Set();
  }

  /** Notes that the archive itself has this path. */
  unpacked(path: string): void {
    if (this.#mode !== 'apply') return;
    for (let at = path; at !== '' && !this.#unpacked.has(at); at = parentOf(at)) this.#unpacked.add(at);
  }

  /** Deals with `path` if it is a whiteout; else answers false. */
  handle(path: string): boolean {
    if (this.#mode === 'literal') return false;
    const base = baseOf(path);
    if (!base.startsWith(PREFIX)) return false;
    const directory = parentOf(path);
    if (base === OPAQUE) {
      if (this.#mode === 'overlay') this.#markOpaque(directory);
      else this.#emptyDirectory(directory);
    } else if (!base.startsWith(META_PREFIX)) {
      const name = base.slice(PREFIX.length);
      if (name === '' || name === '.' || name === '..')
        throw invalidArchive(`invalid whiteout ${JSON.stringify(path)}`);
      const hidden = directory === '' ? name : `${directory}/${name}`;
      if (this.#mode === 'overlay') this.#hide(hidden);
      else this.#removeLower(hidden);
    }
    return true;
  }

  /** A directory that has taken the place of a whiteout of its own layer hides what is below, as that did. */
  replaced(fsPath: FilePath, existing: Stats): void {
    if (existing.isCharacterDevice() && existing.rdev === 0) this.#files.lsetxattr(fsPath, OPAQUE_XATTR, YES);
  }

  /** Marks a directory (through links, like every parent of an entry) as hiding all of the lower layers' below it. */
  #markOpaque(directory: string): void {
    this.#makeDirectories(directory);
    this.#files.lsetxattr(toFsPath(`./${directory}/.`), OPAQUE_XATTR, YES);
  }

  /** overlayfs's whiteout is a character device 0:0; a directory of this layer becomes opaque instead. */
  #hide(path: string): void {
    const fsPath = toFsPath(`./${path}`);
    try {
      this.#files.mknod(fsPath, constants.S_IFCHR, 0, 0);
    } catch (error) {
      if (hasErrno(error, 'EEXIST')) {
        if (lstatSync(fsPath).isDirectory()) this.#files.lsetxattr(fsPath, OPAQUE_XATTR, YES);
      } else if (hasErrno(error, 'ENOENT') && path.includes('/')) {
        this.#makeDirectories(parentOf(path));
        this.#files.mknod(fsPath, constants.S_IFCHR, 0, 0);
      } else {
        throw error;
      }
    }
  }

  #emptyDirectory(directory: string): void {
    let names: Buffer[];
    try {
      names = readdirSync(toFsPath(`./${directory}`), { encoding: 'buffer' });
    } catch (error) {
      if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return;
      throw error;
    }
    for (const name of names) {
      const text = decodeText(name);
      this.#removeLower(directory === '' ? text : `${directory}/${text}`);
    }
  }

  /** Removes a tree but for what this archive has put into it. */
  #removeLower(path: string): void {
    const fsPath = toFsPath(`./${path}`);
    if (!this.#unpacked.has(path)) rmSync(fsPath, { recursive: true, force: true });
    else if (lstatSync(fsPath, { throwIfNoEntry: false })?.isDirectory()) this.#emptyDirectory(path);
  }
}
