import { closeSync, constants, openSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { cPath } from '../native/path.ts';

export const AF_UNIX = 1;
const PATH_BYTES = 108;
const O_PATH = 0o10000000;

/** A `sockaddr_un` for a path of under 108 bytes. */
export function encodeUnixAddress(path: string): Buffer {
  const bytes = Buffer.from(path);
  const address = Buffer.alloc(2 + bytes.length + 1);
  address.writeUInt16LE(AF_UNIX, 0);
  bytes.copy(address, 2);
  return address;
}

/**
 * Runs `work` with an address for `path`. A path that does not fit in `sockaddr_un` is named through an open fd of its
 * directory, which lasts for the length of `work`.
 */
export function withUnixAddress<T>(path: string, work: (address: Buffer) => T): T {
  cPath(path);
  if (Buffer.byteLength(path) < PATH_BYTES) return work(encodeUnixAddress(path));
  const directory = openSync(dirname(path), O_PATH | constants.O_DIRECTORY);
  try {
    return work(encodeUnixAddress(`/proc/thread-self/fd/${directory}/${basename(path)}`));
  } finally {
    closeSync(directory);
  }
}
