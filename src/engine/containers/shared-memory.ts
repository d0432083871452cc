import { mkdirSync, rmdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { EngineError } from '#errors';
import { isErrno } from '#lib';
import type { SpecMount } from '#runtime';
import { MS, type Sys } from '#sys';
import type { ContainerDirectories } from './directories.ts';
import type { ContainerRecord } from './record.ts';

const TARGET = '/dev/shm';

/**
 * `/dev/shm` of containers that do not keep it to themselves (`IpcMode` shareable, host, container:…).
 *
 * A shareable container's is a tmpfs on the host, named after it, mounted for a run: whoever joins gets the same. It
 * outlives us, as the container does.
 */
export class SharedMemory {
  readonly #mounts: Sys['mounts'];
  readonly #directories: ContainerDirectories;
  readonly #find: (ref: string) => ContainerRecord;

  constructor(mounts: Sys['mounts'], directories: ContainerDirectories, find: (ref: string) => ContainerRecord) {
    this.#mounts = mounts;
    this.#directories = directories;
    this.#find = find;
  }

  /**
   * What is to be mounted into a container whose run begins; nothing where it has a `/dev/shm` of its own.
   *
   * @throws invalidArgument when the container it joins does not share.
   */
  prepare(record: ContainerRecord): SpecMount[] {
    const { IpcMode: mode, Tmpfs: tmpfs } = record.hostConfig;
    const isTaken =
      record.mounts.some(({ point }) => point.Destination === TARGET) || Object.hasOwn(tmpfs ?? {}, TARGET);
    if (isTaken) return [];
    if (mode === 'shareable') this.#mount(record);
    const source = this.#sourceOf(record);
    if (source === undefined) return [];
    return [
      {
        type: 'bind',
        source,
        destination: TARGET,
        readOnly: false,
        propagation: 'rprivate',
        recursive: true,
        restrictions: mode === 'host' ? [] : ['nosuid', 'nodev', 'noexec'],
        tmpfsOptions: [],
      },
    ];
  }

  /** Ends a container's own; those who joined keep theirs. Repeatable. */
  release(id: string): void {
    const path = this.#directories.shm(id);
    while (this.#isMounted(path)) this.#mounts.unmount(path);
    try {
      rmdirSync(path);
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error;
    }
  }

  #mount(record: ContainerRecord): void {
    const path = this.#directories.shm(record.id);
    mkdirSync(path, { recursive: true, mode: 0o700 });
    if (this.#isMounted(path)) return;
    const options = `mode=1777,size=${record.hostConfig.ShmSize}`;
    this.#mounts.mount('shm', path, 'tmpfs', MS.NOEXEC | MS.NOSUID | MS.NODEV, options);
  }

  #sourceOf(record: ContainerRecord): string | undefined {
    const { IpcMode: mode } = record.hostConfig;
    if (mode === 'host') return TARGET;
    if (mode === 'shareable') return this.#directories.shm(record.id);
    if (!mode.startsWith('container:')) return undefined;
    const donor = this.#find(mode.slice('container:'.length));
    const source = donor.id === record.id ? undefined : this.#sourceOf(donor);
    if (source !== undefined && this.#isMounted(source)) return source;
    throw new EngineError(
      'invalidArgument',
      'IPC_NOT_SHAREABLE',
      `failed to join IPC namespace: container ${donor.id}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)`,
    );
  }

  #isMounted(path: string): boolean {
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat !== undefined && stat.dev !== statSync(dirname(path)).dev;
  }
}
