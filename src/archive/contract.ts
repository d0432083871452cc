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
  /** Path inside `root` to start from; default all. */
  path?: string;
  /** `overlay-upper`: overlay whiteouts and opaque marks in `root` become `.wh.` entries (a layer diff). */
  mode: 'plain' | 'overlay-upper';
  /** Name given to the first entry instead of its own (`cp`). */
  rename?: string;
  signal?: AbortSignal;
}
