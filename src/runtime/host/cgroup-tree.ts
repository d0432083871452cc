import { existsSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = '/sys/fs/cgroup';

/** Where this host's control groups are mounted. */
export class CgroupTree {
  readonly version: 1 | 2;
  readonly #root: string;

  constructor(version: 1 | 2, root: string = ROOT) {
    this.version = version;
    this.#root = root;
  }

  /** A hybrid host counts as version 1: its controllers are there. */
  static detect(root: string = ROOT): CgroupTree {
    return new CgroupTree(existsSync(join(root, 'cgroup.controllers')) ? 2 : 1, root);
  }

  /** A control file of a group (`/berth/<id>`); the controller matters in version 1 only. */
  file(controller: string, group: string, name: string): string {
    return this.version === 2 ? join(this.#root, group, name) : join(this.#root, controller, group, name);
  }

  /** A process's group, from its `/proc/<pid>/cgroup`; undefined if it is in none of this controller. */
  groupOf(procCgroup: string, controller: string): string | undefined {
    for (const line of procCgroup.split('\n')) {
      const [, names = '', group] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
      if (group === undefined) continue;
      if (this.version === 2 ? names === '' : names.split(',').includes(controller)) return group;
    }
    return undefined;
  }
}
