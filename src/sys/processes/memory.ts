import { readFileSync } from 'node:fs';
import { check } from '../errno.ts';
import { nativeFunction } from '../native/koffi.ts';

const MADV_DONTNEED = 4;
/** Smaller ranges are not worth a call. */
const WORTHWHILE_KIB = 256;

const cMadvise = nativeFunction<[bigint, bigint, number], number>('madvise', 'int', ['uint64', 'uint64', 'int']);
const cMallocTrim = nativeFunction<[number], number>('malloc_trim', 'int', ['size_t']);

export interface MemoryRange {
  start: bigint;
  end: bigint;
}

/**
 * The ranges of `/proc/<pid>/smaps` where pages of the file `program` are mapped that equal the file: read-only, and none
 * changed when the program was loaded.
 */
export function cleanRanges(smaps: string, program: string): MemoryRange[] {
  const ranges: MemoryRange[] = [];
  for (const text of smaps.split(/\n(?=[0-9a-f]+-[0-9a-f]+ )/)) {
    const [, start, end, path] = /^([0-9a-f]+)-([0-9a-f]+) r-[-x]p \S+ \S+ \S+ +(.*)/.exec(text) ?? [];
    const kibOf = (field: string): number => Number(new RegExp(`^${field}: +(\\d+)`, 'm').exec(text)?.[1] ?? 1);
    if (start === undefined || end === undefined || path !== program) continue;
    if (kibOf('Anonymous') > 0 || kibOf('Private_Dirty') > 0 || kibOf('Rss') < WORTHWHILE_KIB) continue;
    ranges.push({ start: BigInt(`0x${start}`), end: BigInt(`0x${end}`) });
  }
  return ranges;
}

/** Gives freed memory of the C library's heaps back to the kernel. */
export function trimHeaps(): void {
  cMallocTrim(0);
}

/**
 * Lets go of this process's pages of its own program, most of which only its start needed. Those that are needed come back
 * from the kernel's cache one fault each.
 */
export function releaseProgramPages(): void {
  for (const { start, end } of cleanRanges(readFileSync('/proc/self/smaps', 'latin1'), process.execPath)) {
    check(cMadvise(start, end - start, MADV_DONTNEED), 'madvise');
  }
}
