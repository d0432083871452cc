import type { FilePath } from '../native/path.ts';
import { createNetns, removeNetns, withNetns } from './netns.ts';
import { readSysctl, writeSysctl } from './sysctl.ts';
import { chdir, chroot, chrootToFd, setns, setUmask, unshare } from './threads.ts';

/** Namespaces; `threads.ts` holds the rules on which thread may do what. */
export interface Namespaces {
  createNetns<T = undefined>(path: string, inside?: () => T): T | undefined;
  removeNetns(path: string): void;
  withNetns<T>(path: string, work: () => T): T;
  unshare(flags: number): void;
  setns(fd: number, type: number): void;
  chroot(path: FilePath): void;
  chrootToFd(fd: number): void;
  chdir(path: FilePath): void;
  setUmask(mask: number): number;
  readSysctl(name: string): string | undefined;
  writeSysctl(name: string, value: string): void;
}

export const linuxNamespaces: Namespaces = {
  createNetns,
  removeNetns,
  withNetns,
  unshare,
  setns,
  chroot,
  chrootToFd,
  chdir,
  setUmask,
  readSysctl,
  writeSysctl,
};
