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

/** A bind into a container's root that is not running: the source is a path of the host. */
export interface ViewMount {
  source: string;
  /** Absolute, in the container; left out when there is nothing to mount on. */
  destination: string;
  readOnly: boolean;
}

/**
 * A container's files as it sees them, mounts included. The job's thread has a mount namespace of its own for it; procfs
 * is not in it, because the links there lead anywhere.
 *
 * - `running`: an open mount namespace of the container's processes. The caller closes it afterwards.
 * - `assembled`: its root with what would be mounted into it.
 */
export type ContainerView =
  | { kind: 'running'; namespaceFd: number }
  | { kind: 'assembled'; root: string; mounts: readonly ViewMount[] };

/** One path in a container, its last part not followed. */
export interface PathInfo {
  sizeBytes: number;
  /** As in stat(2). */
  mode: number;
  mtimeNs: bigint;
  /** Where a symbolic link leads, followed as far as there is something; else empty. */
  linkTarget: string;
}

export interface LookUpOptions {
  view: ContainerView;
  /** A `/` at its end stands for what a link leads to. */
  path: string;
  signal?: AbortSignal;
}

/**
 * Unpacking is not atomic: when it fails or is cancelled, `root` holds whatever was made until then, and removing that is
 * up to the caller. By the time the promise settles nothing more is written.
 */
export interface UnpackOptions {
  /** Compressed or plain tar; the compression is recognised by its magic bytes. A path is read in the worker itself (fastest). */
  source: { path: string } | { stream: Readable };
  /** Directory to unpack into; the worker chroots there, so nothing outside can be touched. Or a container. */
  root: string | ContainerView;
  /** Absolute path in the container to unpack into, without links; default its root. Links in the archive see all of the container. */
  directory?: string;
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
  /** Directory to pack; the worker chroots there. Or a container. */
  root: string | ContainerView;
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

export interface MatchOptions {
  root: string;
  /** Paths and wildcards below `root`. */
  sources: readonly string[];
  /** Patterns of what is left out, by path below `root`. */
  ignore: readonly string[];
  signal?: AbortSignal;
}

/** One path that a source of a copy means. */
export interface SelectedPath {
  /** As it was asked for. */
  source: string;
  /** Below the root, as found; links in it not followed. */
  path: string;
  /** The same without links. */
  real: string;
  isDirectory: boolean;
}

export interface SelectOptions {
  root: string;
  /**
   * What to pack: `from` (without links) under the name `to`; a directory with the empty name gives its content alone. Patterns see the
   * path as `shown`.
   */
  entries: readonly { from: string; shown: string; to: string }[];
  /** Patterns of what is left out, by path below `root`. */
  ignore: readonly string[];
  /** Patterns of what is left out, by path below each `from`. */
  exclude: readonly string[];
  /** Instead of the files' own. */
  owner: { uid: number; gid: number } | undefined;
  /** As for chmod(1); empty to keep. */
  mode: string;
  /** For a digest of the content. */
  withoutTimes: boolean;
  signal?: AbortSignal;
}
