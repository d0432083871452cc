import { mkdirSync, readdirSync, renameSync } from 'node:fs';
import { lookup } from 'node:dns/promises';
import { join } from 'node:path';
import { EngineError } from '#errors';
import { isErrno, randomHex } from '#lib';
import { removeTree } from '#store';
import { MNT, type Sys } from '#sys';
import { mayWait, needsMount, resolveDevice, type VolumeOptions, withoutPassword } from './local-options.ts';
import { planMountCalls, type MountCall } from './mount-options.ts';

/**
 * Volumes of the driver `local`:
 *
 * ```
 * <root>/<name>/_data        the content, or where the device is mounted while someone uses it
 * <root>/.removing-<random>  content of a volume that is no more
 * ```
 *
 * What is mounted is asked of the kernel each time, so mounts that outlived the engine count.
 */
export class LocalVolumes {
  readonly #root: string;
  readonly #mounts: Sys['mounts'];

  constructor(root: string, mounts: Sys['mounts']) {
    this.#root = root;
    this.#mounts = mounts;
    mkdirSync(root, { recursive: true, mode: 0o701 });
  }

  /** Host directory of a volume, existing or not. */
  path(name: string): string {
    return join(this.#root, name, '_data');
  }

  /** The volume's directory, made if missing, with its device mounted if it has one. Repeatable. */
  async mount(name: string, options: VolumeOptions | null): Promise<string> {
    const path = this.path(name);
    mkdirSync(path, { recursive: true, mode: 0o755 });
    if (options === null || !needsMount(options) || this.#mountedAt(path)) return path;
    try {
      await this.#mountDevice(path, options);
    } catch (error) {
      this.unmount(name);
      throw mountFailure(error, path, options);
    }
    return path;
  }

  async #mountDevice(path: string, options: VolumeOptions): Promise<void> {
    const target = await resolveDevice(options, async (host) => (await lookup(host)).address);
    for (const call of planMountCalls(target.device, options['type'] ?? '', target.options)) {
      try {
        await this.#call(path, call, mayWait(options));
      } catch (error) {
        throw callFailure(error, path, call);
      }
    }
  }

  async #call(path: string, { source, fsType, flags, data }: MountCall, waits: boolean): Promise<void> {
    if (waits) await this.#mounts.mountInThread(source, path, fsType, flags, data);
    else this.#mounts.mount(source, path, fsType, flags, data);
  }

  /** Takes off whatever is mounted on the volume's directory; who uses it goes on undisturbed. Repeatable. */
  unmount(name: string): void {
    const path = this.path(name);
    while (this.#mountedAt(path)) this.#mounts.unmount(path, MNT.DETACH);
  }

  /** @throws conflict when something is mounted below the volume: its removal would empty that. */
  assertRemovable(name: string): void {
    const path = this.path(name);
    const below = this.#mounts.listMounts().find(({ target }) => target.startsWith(`${path}/`));
    if (below) {
      throw new EngineError(
        'conflict',
        'VOLUME_HOLDS_MOUNT',
        `remove ${name}: ${below.target} is a mount of the host's`,
      );
    }
  }

  /** Removes a volume's content. Its name is free at once. Repeatable. */
  async remove(name: string): Promise<void> {
    this.unmount(name);
    const doomed = join(this.#root, `.removing-${randomHex(8)}`);
    try {
      renameSync(join(this.#root, name), doomed);
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return;
      throw error;
    }
    await removeTree(doomed);
  }

  /** After a kill: unmounts what nobody uses any more, then removes the directories that belong to no volume. */
  async recover(isUsed: (name: string) => boolean, isKnown: (name: string) => boolean): Promise<void> {
    const prefix = `${this.#root}/`;
    for (const { target } of this.#mounts.listMounts().toReversed()) {
      if (!target.startsWith(prefix) || !target.endsWith('/_data')) continue;
      const name = target.slice(prefix.length, -'/_data'.length);
      if (!name.includes('/') && !isUsed(name)) this.#mounts.unmount(target, MNT.DETACH);
    }
    for (const name of readdirSync(this.#root)) {
      if (!isKnown(name)) await removeTree(join(this.#root, name));
    }
  }

  #mountedAt(path: string): boolean {
    return this.#mounts.listMounts().some(({ target }) => target === path);
  }
}

/** Docker's words for a failed mount(2). */
function callFailure(error: unknown, path: string, { source, flags, data }: MountCall): unknown {
  if (!(error instanceof EngineError) || error.details['errno'] === undefined) return error;
  const reason = error.message.slice(error.message.lastIndexOf(': ') + 2);
  const on = source === '' ? path : `${source}:${path}`;
  const how = `${flags === 0 ? '' : `, flags: 0x${flags.toString(16)}`}${data === '' ? '' : `, data: ${data}`}`;
  return new EngineError('internal', 'VOLUME_MOUNT_FAILED', `mount ${on}${how}: ${reason}`, { cause: error });
}

function mountFailure(error: unknown, path: string, options: VolumeOptions): EngineError {
  const reason = withoutPassword(error instanceof Error ? error.message : String(error), options['o'] ?? '');
  return new EngineError(
    'internal',
    'VOLUME_MOUNT_FAILED',
    `error while mounting volume '${path}': failed to mount local volume: ${reason}`,
  );
}
