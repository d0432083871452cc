import { readFileSync, writeSync } from 'node:fs';
import { check } from '../errno.ts';
import { nativeFunction } from '../native/koffi.ts';
import { closeFd } from '../native/close.ts';

const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
const F_ADD_SEALS = 1033;
/** No more sealing, shrinking, growing or writing. */
const ALL_SEALS = 0xf;

const cMemfdCreate = nativeFunction<[string, number], number>('memfd_create', 'int', ['const char *', 'uint']);
const cFcntl = nativeFunction<[number, number, number], number>('fcntl', 'int', ['int', 'int', 'int']);

/** A copy of a file in memory that nobody can change any more, root neither. The caller closes it. */
export function sealedCopy(path: string): number {
  return sealedMemory(path, readFileSync(path));
}

/** These bytes in memory that nobody can change any more; the name is for /proc. The caller closes it. */
export function sealedMemory(name: string, content: Uint8Array): number {
  const fd = check(cMemfdCreate(name, MFD_CLOEXEC | MFD_ALLOW_SEALING), 'memfd_create');
  try {
    for (let written = 0; written < content.length;) written += writeSync(fd, content, written);
    check(cFcntl(fd, F_ADD_SEALS, ALL_SEALS), 'fcntl', `seals of fd ${fd}`);
    return fd;
  } catch (error) {
    closeFd(fd);
    throw error;
  }
}
