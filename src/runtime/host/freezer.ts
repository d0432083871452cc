import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError } from '#errors';
import type { CgroupTree } from './cgroup-tree.ts';

const DEADLINE_MS = 10_000;
const STEP_MS = 2;

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
  const deadline = performance.now() + DEADLINE_MS;
  for (;;) {
    // Written again at each step: a group that forks quickly can stay half frozen until told anew (version 1).
    if (tree.version === 1) {
      const file = tree.file('freezer', group, 'freezer.state');
      writeFileSync(file, frozen ? 'FROZEN' : 'THAWED');
      if (readFileSync(file, 'latin1').trim() === (frozen ? 'FROZEN' : 'THAWED')) return;
    } else {
      writeFileSync(tree.file('', group, 'cgroup.freeze'), frozen ? '1' : '0');
      const events = readFileSync(tree.file('', group, 'cgroup.events'), 'latin1');
      if (new RegExp(`^frozen ${frozen ? 1 : 0}$`, 'm').test(events)) return;
    }
    if (performance.now() > deadline) {
      throw new EngineError('internal', 'FREEZE_TIMED_OUT', `unable to ${frozen ? 'freeze' : 'thaw'} the container`);
    }
    await sleep(STEP_MS);
  }
}
