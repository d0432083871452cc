import type { FilePath } from '../native/path.ts';
import type { Propagation } from './flags.ts';
import {
  attachMount,
  configureFilesystem,
  createFilesystemMount,
  type MountAttributes,
  openFilesystem,
  openTree,
  setMountAttributes,
} from './mount-api.ts';
import { bind, type BindOptions, mount, setPropagation, unmount, unmountAsync } from './mount.ts';
import { mountInThread } from './mount-thread.ts';
import { listMounts, type MountInfo, parseMountInfo } from './mountinfo.ts';
import type { OverlayMount } from './overlay-options.ts';
import { mountOverlay } from './overlay.ts';
import { pivotRoot } from './pivot-root.ts';

/** Mounting, in this thread's mount namespace. The functions' own comments say more. */
export interface Mounts {
  mount(source: string | null, target: string, fsType: string | null, flags: number, data?: string | null): void;
  mountInThread(
    source: string | null,
    target: string,
    fsType: string | null,
    flags: number,
    data?: string | null,
  ): Promise<void>;
  unmount(target: string, flags?: number): void;
  unmountAsync(target: string, flags?: number): Promise<void>;
  mountOverlay(overlay: OverlayMount): void;
  bind(source: string, target: string, options?: BindOptions): void;
  setPropagation(target: string, propagation: Propagation, recursive?: boolean): void;
  pivotRoot(newRoot: string): void;
  listMounts(pid?: number | 'self'): MountInfo[];
  parseMountInfo(text: string): MountInfo[];
  openTree(path: FilePath, flags: number, directoryFd?: number): number;
  setMountAttributes(target: FilePath | number, attributes: MountAttributes): void;
  openFilesystem(fsType: string): number;
  configureFilesystem(contextFd: number, key: string, value?: string): void;
  createFilesystemMount(contextFd: number, attributes: number): number;
  attachMount(mountFd: number, target: string | number): void;
}

export const linuxMounts: Mounts = {
  mount,
  mountInThread,
  unmount,
  unmountAsync,
  mountOverlay,
  bind,
  setPropagation,
  pivotRoot,
  listMounts,
  parseMountInfo,
  openTree,
  setMountAttributes,
  openFilesystem,
  configureFilesystem,
  createFilesystemMount,
  attachMount,
};
