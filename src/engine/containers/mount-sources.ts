import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '#errors';
import { failpoint, isErrno } from '#lib';
import type { SpecMount } from '#runtime';
import type { ContainerLayers } from '#store';
import { AT, MNT, O, OPEN_TREE, RESOLVE, type Sys } from '#sys';
import { fillFromImage } from '../volumes/fill.ts';
import type { Volumes } from '../volumes/volumes.ts';
import type { ContainerDirectories } from './directories.ts';
import type { ContainerRecord, PlannedMount } from './record.ts';

export interface MountSourcesDeps {
  sys: Pick<Sys, 'files' | 'mounts'>;
  volumes: Volumes;
  layers: ContainerLayers;
  directories: ContainerDirectories;
  /** Major and minor. */
  kernel: readonly [number, number, ...number[]];
}

const restricting = new Set(['ro', 'nosuid', 'nodev', 'noexec']);

/**
 * Makes ready on the host what a container mounts: volumes by their drivers, images' layers, parts of both.
 *
 * All of it is held under the container's ID until {@link release}. A part (`subpath`) is mounted at
 * `<exec root>/mounts/<id>/<number>` from an open file, so that nothing can be exchanged between looking and mounting.
 */
export class MountSources {
  readonly #deps: MountSourcesDeps;

  constructor(deps: MountSourcesDeps) {
    this.#deps = deps;
  }

  /** @throws Docker's errors: a source that is not there, a volume that cannot be mounted, a part that leads out. */
  async prepare(record: ContainerRecord, rootfs: string): Promise<SpecMount[]> {
    const prepared: SpecMount[] = [];
    for (const [index, mount] of record.mounts.entries()) {
      prepared.push(await this.#prepareMount(record, mount, index, rootfs));
    }
    return prepared;
  }

  /** Ends what `prepare` began; the container's own mounts stay. Repeatable. */
  async release(id: string): Promise<void> {
    this.#unstage(id);
    const { layers, volumes } = this.#deps;
    for (const name of layers.listOf(id)) await layers.unmount(name);
    await volumes.release(id);
  }

  async #prepareMount(record: ContainerRecord, mount: PlannedMount, index: number, rootfs: string): Promise<SpecMount> {
    const { point } = mount;
    const common = {
      destination: point.Destination,
      readOnly: !point.RW,
      propagation: point.Propagation,
      recursive: mount.recursive,
      tmpfsOptions: mount.tmpfsOptions,
    };
    if (point.Type === 'tmpfs') return { ...common, type: 'tmpfs', source: '' };
    const whole = await this.#whole(record, mount, rootfs);
    const source = mount.subpath === undefined ? whole : this.#stage(record.id, index, whole, mount.subpath);
    if (mount.readOnlyBelow === 'forced') this.#checkRecursiveReadOnly();
    // Nothing is mounted below a file, and the runtime's recursive read-only flag works on directories alone.
    const readOnlyNonRecursive = mount.readOnlyBelow === 'no' || !statSync(source).isDirectory();
    return { ...common, type: 'bind', source, readOnlyNonRecursive, restrictions: this.#restrictionsOf(source) };
  }

  async #whole(record: ContainerRecord, mount: PlannedMount, rootfs: string): Promise<string> {
    const { Type: type, Name: name, Source: source } = mount.point;
    if (type === 'volume' && name !== undefined) return await this.#volume(record, name, mount, rootfs);
    if (mount.imageLayer) return await this.#deps.layers.mount(mount.imageLayer.name, { volatile: true, bare: true });
    ensureBindSource(source, mount.createSource);
    return source;
  }

  async #volume(record: ContainerRecord, name: string, mount: PlannedMount, rootfs: string): Promise<string> {
    const { volumes, sys } = this.#deps;
    const directory = await volumes.acquire(name, record.id);
    // Docker fills a volume that is empty when a container is made; what a container empties itself stays empty.
    const isFirstRun = record.phase.status === 'created';
    const wantsContent =
      mount.copyUp && mount.subpath === undefined && isFirstRun && readdirSync(directory).length === 0;
    if (wantsContent || volumes.rows.isFilling(name)) {
      volumes.rows.setFilling(name, true);
      failpoint('volume-before-fill');
      await fillFromImage(rootfs, mount.point.Destination, directory, sys.files);
      failpoint('volume-filled');
      volumes.rows.setFilling(name, false);
    }
    return directory;
  }

  /** Mounts a part of a directory at a place of the container's own, and answers that place. */
  #stage(id: string, index: number, base: string, subpath: string): string {
    const { files, mounts } = this.#deps.sys;
    const part = this.#openPart(base, subpath);
    try {
      const place = join(this.#deps.directories.stage(id), String(index));
      this.#makePlace(place, statSync(`/proc/self/fd/${part}`).isDirectory());
      const tree = mounts.openTree('', OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC | AT.EMPTY_PATH | AT.RECURSIVE, part);
      try {
        mounts.attachMount(tree, place);
        failpoint('mount-part-staged');
      } finally {
        files.closeFd(tree);
      }
      return place;
    } finally {
      closeSync(part);
    }
  }

  /** What the mount that holds a source forbids: some runtimes would lift that for the container's. */
  #restrictionsOf(source: string): string[] {
    const fd = openSync(source, O.PATH);
    try {
      const id = Number(/^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1]);
      const holder = this.#deps.sys.mounts.listMounts().find((mount) => mount.id === id);
      return (holder?.options ?? []).filter((option) => restricting.has(option));
    } finally {
      closeSync(fd);
    }
  }

  #makePlace(place: string, isDirectory: boolean): void {
    this.#clearPlace(place);
    mkdirSync(join(place, '..'), { recursive: true, mode: 0o700 });
    if (isDirectory) mkdirSync(place);
    else writeFileSync(place, '');
  }

  #openPart(base: string, subpath: string): number {
    const root = openSync(base, O.PATH | constants.O_DIRECTORY);
    try {
      return this.#deps.sys.files.openAt2(root, subpath, {
        flags: O.PATH,
        resolve: RESOLVE.BENEATH | RESOLVE.NO_MAGICLINKS,
      });
    } catch (error) {
      throw partFailure(error, base, subpath);
    } finally {
      closeSync(root);
    }
  }

  #unstage(id: string): void {
    const directory = this.#deps.directories.stage(id);
    for (const name of readNames(directory)) this.#clearPlace(join(directory, name));
    rmSync(directory, { recursive: true, force: true });
  }

  #clearPlace(place: string): void {
    const { mounts } = this.#deps.sys;
    while (mounts.listMounts().some(({ target }) => target === place)) mounts.unmount(place, MNT.DETACH);
    try {
      if (statSync(place).isDirectory()) rmdirSync(place);
      else rmSync(place);
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error;
    }
  }

  #checkRecursiveReadOnly(): void {
    const [major, minor] = this.#deps.kernel;
    if (major > 5 || (major === 5 && minor >= 12)) return;
    throw new EngineError(
      'invalidArgument',
      'RECURSIVE_READ_ONLY_UNSUPPORTED',
      'failed to set recursively read-only mount: recursive read-only mounts need Linux 5.12 or newer',
    );
  }
}

function readNames(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

/** Docker's words for a part of a volume that is not there or leads out of it. */
function partFailure(error: unknown, base: string, subpath: string): unknown {
  if (!(error instanceof EngineError)) return error;
  switch (error.details['errno']) {
    case 'ENOENT':
      return new EngineError(
        'notFound',
        'SUBPATH_MISSING',
        `cannot access path ${join(base, subpath)}: lstat ${join(base, subpath)}: no such file or directory`,
        { cause: error },
      );
    case 'EXDEV':
      return new EngineError(
        'invalidArgument',
        'SUBPATH_ESCAPES',
        `path concatenation escapes the base directory, base: ${base}, subpath: ${subpath}`,
        { cause: error },
      );
    default:
      return error;
  }
}

/** Docker makes the missing source of `-v`, as a directory; of `--mount` it must be there. */
function ensureBindSource(source: string, create: boolean): void {
  if (statSync(source, { throwIfNoEntry: false }) !== undefined) return;
  if (!create) throw missingBindSource(source);
  mkdirSync(source, { recursive: true, mode: 0o755 });
}

/** @returns Docker's error for a bind whose source is not there. */
export function missingBindSource(source: string): EngineError {
  return new EngineError(
    'invalidArgument',
    'BIND_SOURCE_MISSING',
    `invalid mount config for type "bind": bind source path does not exist: ${source}`,
  );
}
