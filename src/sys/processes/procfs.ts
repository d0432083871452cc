import { readdirSync, readFileSync } from 'node:fs';
import { hasErrno } from '../errno.ts';

/** What `/proc/<pid>/stat` says; see proc_pid_stat(5). Ticks are 1/100 s on every architecture we support. */
export interface ProcessStat {
  pid: number;
  command: string;
  state: string;
  parentPid: number;
  processGroup: number;
  session: number;
  userTicks: number;
  systemTicks: number;
  threads: number;
  /** Ticks after boot; with the pid it names one process for good within a boot. */
  startTicks: number;
  virtualBytes: number;
  residentPages: number;
}

/** A reader for something that may be gone: undefined instead of an error then. */
function unlessGone<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ESRCH')) return undefined;
    throw error;
  }
}

/** Parses a stat line; the command stands in parentheses and may itself hold any character. */
export function parseProcessStat(line: string): ProcessStat {
  const open = line.indexOf('(');
  const close = line.lastIndexOf(')');
  const fields = line.slice(close + 2).split(' ');
  const number = (index: number): number => Number(fields[index - 3]);
  return {
    pid: Number(line.slice(0, open)),
    command: line.slice(open + 1, close),
    state: fields[0] ?? '',
    parentPid: number(4),
    processGroup: number(5),
    session: number(6),
    userTicks: number(14),
    systemTicks: number(15),
    threads: number(20),
    startTicks: number(22),
    virtualBytes: number(23),
    residentPages: number(24),
  };
}

/** The stat of a process or undefined when it is gone. A zombie still has one (`state` Z). */
export function readProcessStat(pid: number): ProcessStat | undefined {
  return unlessGone(() => parseProcessStat(readFileSync(`/proc/${pid}/stat`, 'utf8')));
}

/** Parses `/proc/<pid>/status` into its fields, values trimmed. */
export function parseProcessStatus(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return fields;
}

/** The fields of `/proc/<pid>/status` (`Uid`, `VmRSS`, `NSpid`, …) or undefined when the process is gone. */
export function readProcessStatus(pid: number): Map<string, string> | undefined {
  return unlessGone(() => parseProcessStatus(readFileSync(`/proc/${pid}/status`, 'utf8')));
}

/** The arguments of a process; empty for a zombie or a kernel thread, undefined when it is gone. */
export function readCommandLine(pid: number): string[] | undefined {
  return unlessGone(() => {
    const text = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    return text === '' ? [] : text.replace(/\0$/, '').split('\0');
  });
}

/** The pids of all processes of our pid namespace. */
export function listProcesses(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** A random word that is new at each boot of the machine. */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}
