import { closeSync, openSync, readSync } from 'node:fs';

const CANDIDATES = [
  '/usr/bin/docker-init',
  '/usr/libexec/docker/docker-init',
  '/usr/bin/tini-static',
  '/usr/bin/catatonit',
  '/usr/libexec/podman/catatonit',
];
const PT_INTERP = 3;
const PROGRAM_HEADER_BYTES = 56;

/** An init program that runs in any container, which means one without shared libraries. Undefined if there is none. */
export function findInit(candidates: readonly string[] = CANDIDATES): string | undefined {
  return candidates.find(isStaticProgram);
}

/** Whether this is a 64-bit ELF file that no loader has to start. */
function isStaticProgram(path: string): boolean {
  const head = readHead(path);
  if (head === undefined || head.length < 64 || head.readUInt32BE(0) !== 0x7f454c46 || head[4] !== 2) return false;
  const offset = Number(head.readBigUInt64LE(32));
  const count = head.readUInt16LE(56);
  for (let index = 0; index < count; index++) {
    const at = offset + index * PROGRAM_HEADER_BYTES;
    if (at + 4 > head.length || head.readUInt32LE(at) === PT_INTERP) return false;
  }
  return true;
}

function readHead(path: string): Buffer | undefined {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return undefined;
  }
  try {
    const head = Buffer.alloc(4096);
    return head.subarray(0, readSync(fd, head));
  } finally {
    closeSync(fd);
  }
}
