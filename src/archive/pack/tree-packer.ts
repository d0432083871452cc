import { type BigIntStats, closeSync, constants, fstatSync, openSync, readlinkSync } from 'node:fs';
import { EngineError } from '#errors';
import { hasErrno, splitDevice, type WalkEntry } from '#sys';
import { encodeHeader, paddingAfter } from '../tar/encode-header.ts';
import type { TarEntryType, TarHeaderInit } from '../tar/header.ts';
import { decodeText } from '../tar/text.ts';
import type { ChunkSink } from './chunk-sink.ts';
import { isOverlayOpaque, isOverlayWhiteout, isRedirected, OVERLAY_XATTRS } from './overlay-marks.ts';

/** No links, no waiting for whoever put a pipe there meanwhile, no traces of the reading. */
const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOATIME;
/** Labels of this host's security modules; another host has its own. */
const HOST_XATTRS: ReadonlySet<string> = new Set(['security.selinux', 'security.evm']);

/** Writes entries of a tree to a tar, a file with several names once. */
export class TreePacker {
  readonly #overlayUpper: boolean;
  readonly #sink: ChunkSink;
  /** First name of each file that has several. */
  readonly #linked: Map<string, string>;
  readonly #change: (header: TarHeaderInit) => TarHeaderInit;

  /** @param change - what is written instead of what is there. */
  constructor(overlayUpper: boolean, sink: ChunkSink, change?: (header: TarHeaderInit) => TarHeaderInit) {
    this.#overlayUpper = overlayUpper;
    this.#sink = sink;
    this.#change = change ?? ((header): TarHeaderInit => header);
    this.#linked = new Map();
  }

  add(entry: WalkEntry, name: string): void {
    if (name === '') return;
    if (this.#overlayUpper && this.#whiteout(entry, name)) return;
    const { stat } = entry;
    if (stat.isFile()) return this.#addFile(entry, name);
    const header = this.#header(stat, entry, name);
    if (!header || this.#addAsLink(header, stat)) return;
    if (stat.isSymbolicLink()) {
      const target = readLink(entry.fullPath);
      if (target === undefined) return;
      header.linkName = target;
    }
    this.#sink.write(encodeHeader(header));
    if (this.#overlayUpper && stat.isDirectory() && isOverlayOpaque(entry.xattrs)) {
      this.#sink.write(encodeHeader({ name: `${name}/.wh..wh..opq`, mode: 0o600, mtimeNs: stat.mtimeNs }));
    }
  }

  /** Opened first and described by what was opened, since the tree may be in use. */
  #addFile(entry: WalkEntry, name: string): void {
    const fd = openFile(entry.fullPath);
    if (fd === undefined) return;
    try {
      const stat = fstatSync(fd, { bigint: true });
      if (!stat.isFile()) return;
      const header = this.#header(stat, entry, name);
      if (!header || this.#addAsLink(header, stat)) return;
      const sizeBytes = Number(stat.size);
      this.#sink.write(encodeHeader(header));
      this.#sink.copyFile(fd, sizeBytes);
      this.#sink.write(paddingAfter(sizeBytes));
    } finally {
      closeSync(fd);
    }
  }

  #whiteout(entry: WalkEntry, name: string): boolean {
    if (isRedirected(entry.xattrs)) {
      const message = `${JSON.stringify(name)} takes its content from elsewhere (overlay redirect or metacopy)`;
      throw new EngineError('internal', 'ARCHIVE_OVERLAY_REDIRECT', message);
    }
    if (!isOverlayWhiteout(entry.stat, entry.xattrs)) return false;
    const slash = name.lastIndexOf('/') + 1;
    const hidden = `${name.slice(0, slash)}.wh.${name.slice(slash)}`;
    this.#sink.write(encodeHeader({ name: hidden, mode: 0, mtimeNs: entry.stat.mtimeNs }));
    return true;
  }

  /** undefined for what archives have no type for: sockets. */
  #header(stat: BigIntStats, entry: WalkEntry, name: string): TarHeaderInit | undefined {
    const type = typeOf(stat);
    if (type === undefined) return undefined;
    const device = type === 'char' || type === 'block' ? splitDevice(stat.rdev) : { major: 0, minor: 0 };
    return this.#change({
      name,
      type,
      mode: Number(stat.mode & 0o7777n),
      uid: Number(stat.uid),
      gid: Number(stat.gid),
      sizeBytes: Number(stat.size),
      mtimeNs: stat.mtimeNs,
      deviceMajor: device.major,
      deviceMinor: device.minor,
      xattrs: packedXattrs(entry.xattrs),
    });
  }

  #addAsLink(header: TarHeaderInit, stat: BigIntStats): boolean {
    if (stat.nlink < 2n || stat.isDirectory()) return false;
    const key = `${stat.dev}:${stat.ino}`;
    const first = this.#linked.get(key);
    if (first === undefined) {
      this.#linked.set(key, header.name);
      return false;
    }
    this.#sink.write(encodeHeader({ ...header, type: 'hardlink', linkName: first }));
    return true;
  }
}

function typeOf(stat: BigIntStats): TarEntryType | undefined {
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'directory';
  if (stat.isSymbolicLink()) return 'symlink';
  if (stat.isCharacterDevice()) return 'char';
  if (stat.isBlockDevice()) return 'block';
  return stat.isFIFO() ? 'fifo' : undefined;
}

function packedXattrs(xattrs: ReadonlyMap<string, Buffer>): ReadonlyMap<string, Buffer> {
  if (xattrs.size === 0) return xattrs;
  return new Map([...xattrs].filter(([name]) => !name.startsWith(OVERLAY_XATTRS) && !HOST_XATTRS.has(name)));
}

function openFile(path: Buffer): number | undefined {
  try {
    return openSync(path, READ_FLAGS);
  } catch (error) {
    // Removed, or replaced by a link or a socket, since it was listed.
    if (hasErrno(error, 'ENOENT', 'ELOOP', 'ENXIO')) return undefined;
    throw error;
  }
}

function readLink(path: Buffer): string | undefined {
  try {
    return decodeText(readlinkSync(path, { encoding: 'buffer' }));
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'EINVAL')) return undefined;
    throw error;
  }
}
