import { statfsSync } from 'node:fs';

/** Filesystem types by their magic numbers, those that the engine treats apart. */
const types: Readonly<Record<number, string>> = {
  0xef53: 'extfs',
  0x58465342: 'xfs',
  0x9123683e: 'btrfs',
  0x01021994: 'tmpfs',
  0x858458f6: 'ramfs',
  0x794c7630: 'overlayfs',
  0x6969: 'nfs',
  0xff534d42: 'cifs',
  0x65735546: 'fuse',
  0x2fc12fc1: 'zfs',
  0xf2f52010: 'f2fs',
  0x73717368: 'squashfs',
  0x27e0eb: 'cgroup',
  0x63677270: 'cgroup2fs',
  0x6e736673: 'nsfs',
  0x9fa0: 'proc',
};

export interface FilesystemStat {
  /** A name such as `extfs`, or the magic number in hex. */
  type: string;
  totalBytes: number;
  freeBytes: number;
  /** What others than root may still take. */
  availableBytes: number;
  totalInodes: number;
  freeInodes: number;
}

/** statfs(2) of the filesystem that holds `path`. */
export function filesystemStat(path: string): FilesystemStat {
  const stat = statfsSync(path);
  return {
    type: types[stat.type] ?? `0x${stat.type.toString(16)}`,
    totalBytes: stat.blocks * stat.bsize,
    freeBytes: stat.bfree * stat.bsize,
    availableBytes: stat.bavail * stat.bsize,
    totalInodes: stat.files,
    freeInodes: stat.ffree,
  };
}
