import { check } from '../errno.ts';
import { nativeFunction, type Pointer } from '../native/koffi.ts';
import { words64 } from '../native/struct.ts';

/** Resource numbers by the names of Docker's `--ulimit`. */
export const RLIMIT = {
  cpu: 0,
  fsize: 1,
  data: 2,
  stack: 3,
  core: 4,
  rss: 5,
  nproc: 6,
  nofile: 7,
  memlock: 8,
  as: 9,
  locks: 10,
  sigpending: 11,
  msgqueue: 12,
  nice: 13,
  rtprio: 14,
  rttime: 15,
} as const;

export type RlimitName = keyof typeof RLIMIT;

/** `Infinity` means unlimited. */
export interface Rlimit {
  soft: number;
  hard: number;
}

const UNLIMITED = 0xffff_ffff_ffff_ffffn;

const cPrlimit = nativeFunction<[number, number, Pointer, Pointer], number>('prlimit', 'int', [
  'int',
  'int',
  'const void *',
  'void *',
]);

function decode(value: bigint): number {
  return value === UNLIMITED ? Infinity : Number(value);
}

function encode(value: number): bigint {
  return value === Infinity ? UNLIMITED : BigInt(value);
}

/** A process's limit; pid 0 is this process. */
export function getRlimit(name: RlimitName, pid = 0): Rlimit {
  const current = Buffer.alloc(16);
  check(cPrlimit(pid, RLIMIT[name], null, current), 'prlimit', name, pid);
  return { soft: decode(current.readBigUInt64LE(0)), hard: decode(current.readBigUInt64LE(8)) };
}

/** Sets a process's limit (children inherit it); pid 0 is this process. */
export function setRlimit(name: RlimitName, limit: Rlimit, pid = 0): void {
  check(cPrlimit(pid, RLIMIT[name], words64(encode(limit.soft), encode(limit.hard)), null), 'prlimit', name, pid);
}
