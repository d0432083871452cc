import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError } from '#errors';
import type { CgroupTree } from './cgroup-tree.ts';

const DEADLINE_MS = 10_000;
const STEP_MS = 2;
const STEPS_BETWEEN_BREATHS = 10;

/**
 * Stops or continues every process of a container, by its group's freezer: a file write, where the runtime's `pause`
 * is a process start. The runtime's own commands see the change.
 *
 * @param pid - A process in the container's group.
 * @throws internal when the kernel did not do it within ten seconds.
 */
export async function setFrozen(tree: CgroupTree, pid: number, frozen: boolean): Promise<void> {
  const group = tree.groupOf(readFileSync(`/proc/${pid}/cgroup`, 'latin1'), 'freezer');
  if (group === undefined || group === '/') {
    throw new EngineError('internal', 'NO_FREEZER', `process ${pid} is in no control group that can be frozen`);
  }
  const isDone = tree.version === 1 ? freezeV1(tree, group, frozen) : freezeV2(tree, group, frozen);
  const deadline = performance.now() + DEADLINE_MS;
  while (!isDone()) {
    if (performance.now() > deadline) {
      if (frozen) void setFrozen(tree, pid, false).catch(() => undefined);
      throw new EngineError('internal', 'FREEZE_TIMED_OUT', `unable to ${frozen ? 'freeze' : 'thaw'} the container`);
    }
    await sleep(STEP_MS);
  }
}

/** Each call of the answer takes one step, and tells whether it was the last. */
function freezeV1(tree: CgroupTree, group: string, frozen: boolean): () => boolean {
  const file = tree.file('freezer', group, 'freezer.state');
  const wanted = frozen ? 'FROZEN' : 'THAWED';
  let steps = 0;
  return () => {
    // A program in the middle of exec(2) waits for its other threads, which are frozen already: let them go at times.
    const isBreath = frozen && ++steps % STEPS_BETWEEN_BREATHS === 0;
    writeFileSync(file, isBreath ? 'THAWED' : wanted);
    return !isBreath && readFileSync(file, 'latin1').trim() === wanted;
  };
}

function freezeV2(tree: CgroupTree, group: string, frozen: boolean): () => boolean {
  const events = tree.file('', group, 'cgroup.events');
  writeFileSync(tree.file('', group, 'cgroup.freeze'), frozen ? '1' : '0');
  const wanted = frozen ? /^frozen 1$/m : /^frozen 0$/m;
  return () => wanted.test(readFileSync(events, 'latin1'));
}
