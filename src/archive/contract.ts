import type { Readable } from 'node:stream';
import type { Digest } from '#spec';

/** Bounds on what an archive may make us do; beyond them unpacking stops with an invalidArgument error. */
export interface ArchiveLimits {
  maxEntries: number;
  maxUnpackedBytes: number;
  /** PAX and GNU long-name headers, each. */
  maxHeaderBytes: number;
}

export interface UnpackResult {
  /** sha256 of the uncompressed tar: the layer's DiffID. */
  diffId: Digest;
  /** Length of the uncompressed tar. */
  tarSizeBytes: number;
  /** Sum of the regular files' sizes: Docker's layer size. */
  contentSizeBytes: number;
  entries: number;
}

/**
 * Unpacking is not atomic: when it fails or is cancelled, `root` holds whatever was made until then, and removing that is
 * up to the caller. By the time the promise settles nothing more is written.
 */
export interface UnpackOptions {
  /** Compressed or plain tar; the compression is recognised by its magic bytes. A path is read in the worker itself (fastest). */
  source: { path: string } | { stream: Readable };
  /** Directory to unpack into; the worker chroots there, so nothing outside can be touched. */
  root: string;
  /**
   * `overlay`: `.wh.` entries become overlayfs whiteouts and opaque xattrs (a snapshot layer).
   * `literal`: `.wh.` names are ordinary files (import, cp).
   * `apply`: `.wh.` entries delete what is there.
   */
  whiteouts: 'overlay' | 'literal' | 'apply';
  /** Default: 10 million entries, 1 TiB, 1 MiB of headers. */
  limits?: Partial<ArchiveLimits>;
  /** `cp`: refuse to replace a directory by a non-directory and the reverse. */
  noOverwriteDirNonDir?: boolean;
  /** `cp` without `-a`: files get this owner instead of the archive's. */
  owner?: { uid: number; gid: number };
  signal?: AbortSignal;
}

export interface PackOptions {
  /** Directory to pack; the worker chroots there. */
  root: string;
  /**
   * Path inside `root` to start from; default all. Links on the way are followed inside `root`; the last part is not,
   * unless a `/` follows it. Entries are named from its last part on; when all is packed, without an entry for the root.
   */
  path?: string;
  /** `overlay-upper`: overlay whiteouts and opaque marks in `root` become `.wh.` entries (a layer diff). */
  mode: 'plain' | 'overlay-upper';
  /** Name given to the first entry, and to the start of those below it, instead of its own (`cp`). */
  rename?: string;
  signal?: AbortSignal;
}

/** One difference between an overlay's upper directory and what is below it. */
export interface TreeChange {
  /** Absolute in the container. */
  path: string;
  kind: 'modified' | 'added' | 'deleted';
}

export interface ListChangesOptions {
  /** The writable directory of an overlay. */
  upper: string;
  /** The directories below it, topmost first, as in the mount's `lowerdir`. */
  lowers: readonly string[];
  signal?: AbortSignal;
}
