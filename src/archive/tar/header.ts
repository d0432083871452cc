/** What an entry of an archive makes. */
export type TarEntryType = 'file' | 'hardlink' | 'symlink' | 'char' | 'block' | 'directory' | 'fifo';

/** One entry of an archive, with all extension headers (PAX, GNU) already applied. */
export interface TarHeader {
  /** As written in the archive: may be absolute, contain `..` or end in `/`. Bytes that are not UTF-8 are lone surrogates. */
  name: string;
  type: TarEntryType;
  /** Permission bits with setuid, setgid and sticky: at most 0o7777. */
  mode: number;
  uid: number;
  gid: number;
  uname: string;
  gname: string;
  /** Length of the content as a reader of the file sees it, holes included; 0 for everything but files. */
  sizeBytes: number;
  mtimeNs: bigint;
  /** Target of a hard or symbolic link, else empty. */
  linkName: string;
  deviceMajor: number;
  deviceMinor: number;
  xattrs: ReadonlyMap<string, Buffer>;
}

/** What {@link TarHeader} needs from somebody who writes one; the rest has plain defaults. */
export type TarHeaderInit = Pick<TarHeader, 'name'> & Partial<TarHeader>;

/** Everything in a tar archive comes in multiples of this. */
export const BLOCK_BYTES = 512;

/** Ids are 32 bits and the last one means "leave alone" to chown(2). */
export const MAX_ID = 0xffff_fffe;

export const NO_XATTRS: ReadonlyMap<string, Buffer> = new Map();

/** Fills in the defaults: an empty file of root's, mode 0644 (directories 0755), time 0. */
export function completeHeader(init: TarHeaderInit): TarHeader {
  const type = init.type ?? 'file';
  return {
    name: init.name,
    type,
    mode: init.mode ?? (type === 'directory' ? 0o755 : type === 'symlink' ? 0o777 : 0o644),
    uid: init.uid ?? 0,
    gid: init.gid ?? 0,
    uname: init.uname ?? '',
    gname: init.gname ?? '',
    sizeBytes: type === 'file' ? (init.sizeBytes ?? 0) : 0,
    mtimeNs: init.mtimeNs ?? 0n,
    linkName: init.linkName ?? '',
    deviceMajor: init.deviceMajor ?? 0,
    deviceMinor: init.deviceMinor ?? 0,
    xattrs: init.xattrs ?? NO_XATTRS,
  };
}
