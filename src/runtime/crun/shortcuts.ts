import { closeSync, constants, openSync, readFileSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import type { Sys } from '#sys';

/*
 * Two of crun's commands do little once their process has started, which takes most of their 8 ms. Here they are done on
 * crun's own files (the same from 1.0 on). Whenever something is not as expected the command itself is left to decide.
 */

const statusSchema = v.object({
  pid: v.number(),
  'process-start-time': v.number(),
  'cgroup-path': v.string(),
  'systemd-cgroup': v.boolean(),
});
type Status = v.InferOutput<typeof statusSchema>;

/** Lets a created process go on: it waits for a byte in a fifo. Returns false when the command must do it. */
export function startThroughFifo(stateDirectory: string): boolean {
  const fifo = join(stateDirectory, 'exec.fifo');
  let fd: number;
  try {
    fd = openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    // Started already, or ended: crun has words for each.
    return false;
  }
  try {
    // A container without this file counts as started, so it goes first.
    unlinkSync(fifo);
    writeSync(fd, Buffer.alloc(1));
    return true;
  } finally {
    closeSync(fd);
  }
}

/** Removes what is kept of a container that has ended. Returns false when the command must do it. */
export function deleteEnded(stateDirectory: string, sys: Pick<Sys, 'cgroups' | 'processes'>): boolean {
  const status = readStatus(stateDirectory);
  if (status === undefined || status['systemd-cgroup'] || !isOwnGroup(status['cgroup-path'])) return false;
  if (isAlive(status, sys)) return false;
  try {
    sys.cgroups.remove(sys.cgroups.paths(sys.cgroups.detect(), status['cgroup-path']));
  } catch {
    // Processes of it live on, in the host's pid namespace perhaps: crun kills them.
    return false;
  }
  rmSync(stateDirectory, { recursive: true, force: true });
  return true;
}

/** Below the root, and not above it by `..`. */
function isOwnGroup(path: string): boolean {
  return path.startsWith('/') && path.length > 1 && !path.split('/').includes('..');
}

function readStatus(stateDirectory: string): Status | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(join(stateDirectory, 'status'), 'utf8'));
    return v.parse(statusSchema, value);
  } catch {
    return undefined;
  }
}

function isAlive(status: Status, sys: Pick<Sys, 'processes'>): boolean {
  const process = sys.processes.readProcessStat(status.pid);
  if (process === undefined || process.state === 'Z' || process.state === 'X') return false;
  return Number(process.startTicks) === status['process-start-time'];
}
