import { closeSync, constants, openSync, readFileSync } from 'node:fs';
import { EngineError } from '#errors';
import { AT, CLONE, hasErrno, MNT, MOUNT_ATTR, MS, O, OPEN_TREE, RESOLVE, type Sys } from '#sys';
import type { ContainerView, ViewMount } from '../contract.ts';

/** Windows into the kernel that a runtime mounts; nobody copies these, and a procfs is dangerous. */
const KERNEL_FILESYSTEMS: ReadonlySet<string> = new Set(
  'proc sysfs cgroup cgroup2 devpts mqueue bpf configfs debugfs efivarfs fusectl pstore securityfs tracefs'.split(' '),
);
/** More of these than any container has; it ends a tug-of-war with one that renames directories all the time. */
const MAX_UNMOUNTS = 1000;
const FIND = { flags: O.PATH, resolve: RESOLVE.IN_ROOT | RESOLVE.NO_MAGICLINKS };

/**
 * Takes the calling thread, which shares its root with no other, into containers' files and back out.
 *
 * Inside, the thread has a mount namespace that is its alone: nothing that happens there is seen by the container, and
 * what the container mounts later is not seen there. Devices cannot be opened. The kernel keeps every path in; only the
 * links of a procfs could lead out (`/proc/self/root` is the daemon's), so none is left mounted; nor are sysfs, cgroups and
 * the runtime's `/dev`, which are not the container's files, as with dockerd.
 */
export class ContainerViews {
  readonly #sys: Pick<Sys, 'mounts' | 'namespaces' | 'files'>;
  readonly #hostRootFd: number;
  readonly #hostNamespaceFd: number;
  #away: boolean;

  constructor(sys: Pick<Sys, 'mounts' | 'namespaces' | 'files'>, hostRootFd: number) {
    this.#sys = sys;
    this.#hostRootFd = hostRootFd;
    this.#hostNamespaceFd = openSync('/proc/thread-self/ns/mnt', 'r');
    this.#away = false;
  }

  /** Whatever comes of it, {@link leave} follows. */
  enter(view: ContainerView): void {
    const { mounts } = this.#sys;
    this.#away = true;
    if (view.kind === 'running') this.#join(view.namespaceFd);
    else this.#assemble(view.root, view.mounts);
    mounts.setMountAttributes('/', { set: MOUNT_ATTR.NODEV | MOUNT_ATTR.NOEXEC | MOUNT_ATTR.NOSUID, recursive: true });
  }

  /** Back to the host's mounts; the thread's root is then theirs. */
  leave(): void {
    if (!this.#away) return;
    this.#sys.namespaces.setns(this.#hostNamespaceFd, CLONE.NEWNS);
    this.#away = false;
  }

  #join(namespaceFd: number): void {
    const { namespaces, mounts } = this.#sys;
    namespaces.setns(namespaceFd, CLONE.NEWNS);
    namespaces.unshare(CLONE.NEWNS);
    mounts.setPropagation('/', 'private', true);
    this.#dropKernelMounts();
  }

  #dropKernelMounts(): void {
    for (let attempt = 0; attempt < MAX_UNMOUNTS; attempt++) {
      const unwanted = this.#listMounts().find(isKernelMount);
      if (!unwanted) return;
      try {
        this.#sys.mounts.unmount(unwanted.target, MNT.DETACH | MNT.NOFOLLOW);
      } catch (error) {
        // A directory above it has just got another name.
        if (!hasErrno(error, 'ENOENT', 'EINVAL', 'ENOTDIR', 'ELOOP')) throw error;
      }
    }
    throw new EngineError(
      'internal',
      'ARCHIVE_KERNEL_MOUNTED',
      'a kernel filesystem in the container cannot be unmounted',
    );
  }

  /** This thread's own mounts, told by the host's procfs. */
  #listMounts(): ReturnType<Sys['mounts']['listMounts']> {
    const fd = this.#sys.files.openAt2(this.#hostRootFd, 'proc/thread-self/mountinfo', {
      flags: constants.O_RDONLY,
      resolve: 0,
    });
    try {
      return this.#sys.mounts.parseMountInfo(readFileSync(fd, 'utf8'));
    } finally {
      this.#sys.files.closeFd(fd);
    }
  }

  #assemble(root: string, wanted: readonly ViewMount[]): void {
    const { namespaces, mounts } = this.#sys;
    namespaces.unshare(CLONE.NEWNS);
    // What the host unmounts meanwhile goes here too; nothing goes back.
    mounts.setPropagation('/', 'slave', true);
    const rootFd = openSync(root, O.PATH | constants.O_DIRECTORY);
    try {
      for (const mount of wanted) this.#bind(rootFd, mount);
    } finally {
      closeSync(rootFd);
    }
    mounts.pivotRoot(root);
    mounts.setPropagation('/', 'private', true);
    this.#dropKernelMounts();
  }

  #bind(rootFd: number, { source, destination, readOnly }: ViewMount): void {
    const { mounts, files } = this.#sys;
    const tree = mounts.openTree(source, OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC | AT.RECURSIVE);
    try {
      const target = this.#find(() => files.openAt2(rootFd, destination, FIND));
      if (target === undefined) return;
      try {
        mounts.setMountAttributes(tree, {
          set: readOnly ? MOUNT_ATTR.RDONLY : 0,
          propagation: MS.PRIVATE,
          recursive: true,
        });
        mounts.attachMount(tree, target);
      } finally {
        files.closeFd(target);
      }
    } finally {
      files.closeFd(tree);
    }
  }

  #find(open: () => number): number | undefined {
    try {
      return open();
    } catch (error) {
      if (hasErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
      throw error;
    }
  }
}

function isKernelMount({ fsType, target }: ReturnType<Sys['mounts']['listMounts']>[number]): boolean {
  return KERNEL_FILESYSTEMS.has(fsType) || (target === '/dev' && fsType === 'tmpfs');
}
