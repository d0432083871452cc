import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Sys, MNT, MS, createLinuxSys } from '#sys';

/** A tmpfs of its own for one test; disposing it unmounts and removes everything below. */
export interface Scratch extends Disposable {
  sys: Sys;
  path: string;
}

export function createScratch(): Scratch {
  const sys = createLinuxSys();
  const path = mkdtempSync(join(tmpdir(), 'berth-sys-'));
  sys.mounts.mount('tmpfs', path, 'tmpfs', MS.NODEV, 'size=64m');
  sys.mounts.setPropagation(path, 'private');
  return {
    sys,
    path,
    [Symbol.dispose]: () => {
      for (const mount of sys.mounts.listMounts().toReversed()) {
        if (mount.target.startsWith(`${path}/`)) sys.mounts.unmount(mount.target, MNT.DETACH);
      }
      sys.mounts.unmount(path, MNT.DETACH);
      rmSync(path, { recursive: true });
    },
  };
}
