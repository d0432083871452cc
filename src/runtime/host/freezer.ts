import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError } from '#errors';
import type { CgroupPaths, Cgroups } from '#sys';

const DEADLINE_MS = 10_000;
const STEP_MS = 2;
const STEPS_BETWEEN_BREATHS = 10;

/**
 * Stops or continues every process of a container, by its group's freezer: a file write, where the runtime's `pause`
 * is a process start. The runtime's own commands see the change.
 *
 * @throws internal when the kernel did not stop them within ten seconds; they go on then.
 */
export async function setFrozen(
  cgroups: Pick<Cgroups, 'freeze' | 'thaw' | 'isFrozen'>,
  group: CgroupPaths,
  frozen: boolean,
): Promise<void> {
  if (!frozen) {
    cgroups.thaw(group);
    return;
  }
  const deadline = performance.now() + DEADLINE_MS;
  for (let step = 1; ; step++) {
    // Version 1: a program in the middle of exec(2) waits for its other threads, which may be frozen already. So all
    // are let go at times, and told to freeze anew.
    if (step % STEPS_BETWEEN_BREATHS === 0) cgroups.thaw(group);
    else cgroups.freeze(group);
    if (cgroups.isFrozen(group)) return;
    if (performance.now() > deadline) {
      cgroups.thaw(group);
      throw new EngineError('internal', 'FREEZE_TIMED_OUT', 'unable to freeze the container');
    }
    await sleep(STEP_MS);
  }
}
