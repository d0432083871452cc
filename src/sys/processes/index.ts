import { releaseProgramPages, trimHeaps } from './memory.ts';
import {
  bootId,
  listProcesses,
  type ProcessStat,
  readCommandLine,
  readProcessStat,
  readProcessStatus,
} from './procfs.ts';
import { getRlimit, type Rlimit, type RlimitName, setRlimit } from './rlimits.ts';
import {
  kill,
  pidfdOpen,
  pidfdSendSignal,
  processExists,
  reap,
  setChildSubreaper,
  type WaitStatus,
} from './signals.ts';
import { createPipe, spawnDetached, type SpawnRequest } from './spawn.ts';

/** Processes: limits, signals, and what procfs tells. Readers answer undefined for a process that is gone. */
export interface Processes {
  getRlimit(name: RlimitName, pid?: number): Rlimit;
  setRlimit(name: RlimitName, limit: Rlimit, pid?: number): void;
  kill(pid: number, signal: number): void;
  processExists(pid: number): boolean;
  pidfdOpen(pid: number): number;
  pidfdSendSignal(pidfd: number, signal: number): void;
  setChildSubreaper(enabled: boolean): void;
  reap(pid: number): WaitStatus | undefined;
  readProcessStat(pid: number): ProcessStat | undefined;
  readProcessStatus(pid: number): Map<string, string> | undefined;
  readCommandLine(pid: number): string[] | undefined;
  listProcesses(): number[];
  bootId(): string;
  spawnDetached(request: SpawnRequest): number;
  createPipe(): { readFd: number; writeFd: number };
  trimHeaps(): void;
  releaseProgramPages(): void;
}

export const linuxProcesses: Processes = {
  getRlimit,
  setRlimit,
  kill,
  processExists,
  pidfdOpen,
  pidfdSendSignal,
  setChildSubreaper,
  reap,
  readProcessStat,
  readProcessStatus,
  readCommandLine,
  listProcesses,
  bootId,
  spawnDetached,
  createPipe,
  trimHeaps,
  releaseProgramPages,
};
