import { close, open, write } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { CgroupPaths, Sys } from '#sys';

const openFile = promisify(open);
const writeFile = promisify(write);
const closeFile = promisify(close);

/** From the first request about a process to the runtime's move of it into its control group. */
const WINDOW_MS = 150;
/** Shorter than the time (10 ms and more) after which the kernel falls back. */
const PERIOD_MS = 5;
const MEMBERS = 'cgroup.procs';

/**
 * Has the kernel ready to move processes between control groups when a runtime is about to.
 *
 * The first move after a while waits for an RCU grace period, 10 to 20 ms, and moves soon after another one do not. A
 * move of this process into the group where it is already changes nothing and counts as one, so for a moment before
 * every launch such moves are made; the wait then passes beside the launch's other work.
 */
export class GroupMoves {
  readonly #cgroups: Pick<Sys['cgroups'], 'detect' | 'pathsOfProcess'>;
  #until: number;
  #moving: boolean;

  constructor(cgroups: Pick<Sys['cgroups'], 'detect' | 'pathsOfProcess'>) {
    this.#cgroups = cgroups;
    this.#until = 0;
    this.#moving = false;
  }

  /** A process will be moved soon. Returns at once; where it cannot be prepared the move is only slower. */
  expect(): void {
    this.#until = performance.now() + WINDOW_MS;
    if (this.#moving) return;
    this.#moving = true;
    void this.#keepMoving()
      .catch(() => undefined)
      .finally(() => {
        this.#moving = false;
      });
  }

  async #keepMoving(): Promise<void> {
    // Asked anew for each window: we do not go back into a group that somebody moved us out of.
    const directory = ownGroup(this.#cgroups.pathsOfProcess(this.#cgroups.detect(), process.pid));
    if (directory === undefined) return;
    const members = await openFile(join(directory, MEMBERS), 'w');
    try {
      while (performance.now() < this.#until) {
        await writeFile(members, '0');
        await new Promise<void>((resolve) => setTimeout(resolve, PERIOD_MS).unref());
      }
    } finally {
      await closeFile(members);
    }
  }
}

function ownGroup(paths: CgroupPaths): string | undefined {
  return paths.controllers.get('freezer') ?? paths.controllers.get('pids') ?? paths.unified;
}
