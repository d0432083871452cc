/** Parsers for the text files of cgroupfs. All are forgiving: what a kernel does not report is absent or zero. */

/** `key value` lines. */
export function parseKeyValues(text: string): Record<string, number> {
  const values: Record<string, number> = {};
  for (const line of text.split('\n')) {
    const [key, value] = line.trim().split(/\s+/, 2);
    if (key !== undefined && key !== '' && value !== undefined) values[key] = Number(value);
  }
  return values;
}

/** One number; `max` is undefined. */
export function parseLimit(text: string): number | undefined {
  const trimmed = text.trim();
  return trimmed === 'max' || trimmed === '' ? undefined : Number(trimmed);
}

/** Numbers, one a line or all in one. */
export function parseNumbers(text: string): number[] {
  return text
    .split(/\s+/)
    .filter((word) => word !== '')
    .map(Number);
}

/** Bytes or operations of one kind on one device. */
export interface BlkioEntry {
  major: number;
  minor: number;
  /** As the kernel names it: `Read`, `Write`, … in v1, lower case in v2. */
  op: string;
  value: number;
}

/** v1's `8:0 Read 4096` lines; the last line's total is left out. */
export function parseBlkioV1(text: string): BlkioEntry[] {
  return text.split('\n').flatMap((line) => {
    const match = /^(\d+):(\d+) (\w+) (\d+)$/.exec(line.trim());
    if (!match) return [];
    const [, major, minor, op = '', value] = match;
    return [{ major: Number(major), minor: Number(minor), op, value: Number(value) }];
  });
}

/** v2's `8:0 rbytes=1 wbytes=2 rios=3 wios=4 …` lines. */
export function parseIoStat(text: string): { bytes: BlkioEntry[]; operations: BlkioEntry[] } {
  const bytes: BlkioEntry[] = [];
  const operations: BlkioEntry[] = [];
  for (const line of text.split('\n')) {
    const match = /^(\d+):(\d+) (.*)$/.exec(line.trim());
    if (!match) continue;
    const device = { major: Number(match[1]), minor: Number(match[2]) };
    const values = new Map((match[3] ?? '').split(' ').map((word) => word.split('=', 2) as [string, string]));
    const entry = (key: string, op: string): BlkioEntry => ({ ...device, op, value: Number(values.get(key) ?? 0) });
    bytes.push(entry('rbytes', 'read'), entry('wbytes', 'write'));
    operations.push(entry('rios', 'read'), entry('wios', 'write'));
  }
  return { bytes, operations };
}

/**
 * `/proc/<pid>/cgroup`: paths by controller, the unified hierarchy's under the empty name, named ones under
 * `name=systemd`.
 */
export function parseProcessCgroups(text: string): Map<string, string> {
  const paths = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^\d+:([^:]*):(.*)$/.exec(line);
    if (match) for (const controller of (match[1] ?? '').split(',')) paths.set(controller, match[2] ?? '/');
  }
  return paths;
}
