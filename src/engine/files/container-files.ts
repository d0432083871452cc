import { closeSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { lookUp, packTree, resolveInView, unpack, type ContainerView, type PathInfo, type ViewMount } from '#archive';
import { EngineError, findEngineError } from '#errors';
import { formatRfc3339Nano } from '#lib';
import type { ContainerId, ContainerPathStat } from '#spec';
import type { ContainerLayers } from '#store';
import { eventAttributes } from '../containers/lifecycle.ts';
import { isLive, type ContainerRecord } from '../containers/record.ts';
import type { ContainerRegistry } from '../containers/registry.ts';
import type { EventBus } from '../events/event-bus.ts';
import { assertWritable, baseName, toContainerPath } from './copy-paths.ts';
import { toGoFileMode } from './go-file-mode.ts';

/** What copying asks about a container's processes and mounts. */
export interface FileProcesses {
  /** An open mount namespace of a live container. The caller closes it. */
  openMountNamespace(record: ContainerRecord): number;
  /** What a start would mount into `rootfs`, with the places to mount on made. */
  viewMounts(record: ContainerRecord, rootfs: string): Promise<ViewMount[]>;
  /** Lets go of what `viewMounts` made ready. Repeatable. */
  releaseView(record: ContainerRecord): Promise<void>;
  resolveUser(record: ContainerRecord, rootfs: string): { uid: number; gid: number };
}

export interface ContainerFilesDeps {
  registry: ContainerRegistry;
  layers: ContainerLayers;
  processes: FileProcesses;
  events: EventBus;
}

export interface WriteOptions {
  copyUidGid: boolean;
  noOverwriteDirNonDir: boolean;
  signal: AbortSignal;
}

/** A container held still for a copy: its lock, and its files made ready. */
interface Held extends AsyncDisposable {
  record: ContainerRecord;
  view: ContainerView;
  rootfs: string;
}

/**
 * Files in and out of containers, running or not, through their mounts. Like dockerd it holds the container's lock for the
 * whole of a copy: nothing may start, stop or remove it meanwhile.
 */
export class ContainerFiles {
  readonly #deps: ContainerFilesDeps;

  constructor(deps: ContainerFilesDeps) {
    this.#deps = deps;
  }

  /** @throws notFound when there is no such container or path. */
  async statPath(ref: string, path: string, signal: AbortSignal): Promise<ContainerPathStat> {
    await using held = await this.#hold(ref, signal);
    const info = await explained(ref, path, lookUp({ view: held.view, path: toContainerPath(path), signal }));
    return toPathStat(path, info);
  }

  /** A tar of what is at `path`, named from its last part on. @throws notFound when there is no such container or path. */
  async readArchive(
    ref: string,
    path: string,
    signal: AbortSignal,
  ): Promise<{ stat: ContainerPathStat; archive: Readable }> {
    const at = toContainerPath(path);
    await using undo = new AsyncDisposableStack();
    const held = undo.use(await this.#hold(ref, signal));
    const info = await explained(ref, path, lookUp({ view: held.view, path: at, signal }));
    const archive = packTree({ root: held.view, path: at, mode: 'plain', rename: baseName(at), signal });
    const release = undo.move();
    archive.once('close', () => void release.disposeAsync());
    this.#publish('archive-path', held.record);
    return { stat: toPathStat(at, info), archive };
  }

  /** Unpacks a tar, compressed or not, into a directory. @throws notFound; invalidArgument where it may not be written. */
  async writeArchive(ref: string, path: string, body: Readable, options: WriteOptions): Promise<void> {
    const { signal } = options;
    await using held = await this.#hold(ref, signal);
    const { record, view, rootfs } = held;
    const directory = await explained(ref, path, resolveInView({ view, path: toContainerPath(path), signal }));
    const { mode } = await explained(ref, path, lookUp({ view, path: directory, signal }));
    if ((mode & 0o170000) !== 0o040000) {
      throw new EngineError('invalidArgument', 'NOT_A_DIRECTORY', 'extraction point is not a directory');
    }
    assertWritable(record, directory);
    const asUser = options.copyUidGid && record.config.User !== '';
    const owner = asUser ? this.#deps.processes.resolveUser(record, rootfs) : undefined;
    await unpack({
      source: { stream: body },
      root: view,
      directory,
      whiteouts: 'literal',
      noOverwriteDirNonDir: options.noOverwriteDirNonDir,
      ...(owner ? { owner: { uid: owner.uid, gid: owner.gid } } : {}),
      signal,
    });
    this.#publish('extract-to-dir', record);
  }

  async #hold(ref: string, signal: AbortSignal): Promise<Held> {
    const { registry, layers, processes } = this.#deps;
    await using undo = new AsyncDisposableStack();
    const id: ContainerId = registry.get(ref).id;
    undo.use(await registry.locks.lock(id, signal));
    const record = registry.current(id);
    const live = isLive(record.phase);
    if (!live) undo.defer(() => layers.unmount(id));
    const rootfs = await layers.mount(id, { volatile: false });
    let view: ContainerView;
    if (live) {
      const namespaceFd = processes.openMountNamespace(record);
      undo.defer(() => closeSync(namespaceFd));
      view = { kind: 'running', namespaceFd };
    } else {
      undo.defer(() => processes.releaseView(record));
      view = { kind: 'assembled', root: rootfs, mounts: await processes.viewMounts(record, rootfs) };
    }
    const release = undo.move();
    return { record, view, rootfs, [Symbol.asyncDispose]: () => release.disposeAsync() };
  }

  #publish(action: string, record: ContainerRecord): void {
    this.#deps.events.publish('container', action, record.id, eventAttributes(record));
  }
}

function toPathStat(path: string, info: PathInfo): ContainerPathStat {
  return {
    name: baseName(path),
    size: info.sizeBytes,
    mode: toGoFileMode(info.mode),
    mtime: formatRfc3339Nano(info.mtimeNs),
    linkTarget: info.linkTarget,
  };
}

/** Docker's words for a path that is not there. */
async function explained<T>(ref: string, path: string, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    const errno = findEngineError(error)?.details['errno'];
    if (errno === 'ENOENT') {
      const message = `Could not find the file ${path} in container ${ref}`;
      throw new EngineError('notFound', 'NO_SUCH_PATH', message, { cause: error });
    }
    const reason = errno === 'ENOTDIR' ? 'not a directory' : errno === 'ELOOP' ? 'too many links' : undefined;
    if (reason === undefined) throw error;
    throw new EngineError('invalidArgument', 'BAD_PATH', `lstat ${path}: ${reason}`, { cause: error });
  }
}
