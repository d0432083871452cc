import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { LowerLayers } from '#archive';
import type { Sys } from '#sys';
import { removeTree } from '../files/remove-tree.ts';
import { type ImageEntry, type InitNode, planInitLayer } from './init-plan.ts';

/** Names which boot the folders were made under; nothing here is synced. */
const BOOT_FILE = 'boot';
const UNFINISHED = 'new';
/** The overlay's own, which say nothing about another layer's directory. */
const OVERLAY_XATTRS = 'trusted.overlay.';

/**
 * The read-only layer between an image and its containers' writable ones: mount points and files that every container has,
 * so that they never show as a container's changes.
 *
 * ```
 * i/<n>     for containers of the image whose topmost layer is l/<n>
 * i/boot    the boot they were made under: after another one they are made again
 * ```
 */
export class InitLayers {
  readonly #directory: string;
  readonly #files: Sys['files'];

  constructor(root: string, files: Sys['files'], bootId: string) {
    this.#directory = join(root, 'i');
    this.#files = files;
    const bootFile = join(this.#directory, BOOT_FILE);
    if (existsSync(bootFile) && readFileSync(bootFile, 'utf8') === bootId) return;
    rmSync(this.#directory, { recursive: true, force: true });
    mkdirSync(this.#directory, { mode: 0o700 });
    writeFileSync(bootFile, bootId);
  }

  path(dir: string): string {
    return join(this.#directory, dir);
  }

  /** Makes the layer for an image whose stack is `lowerDirs`, unless it is there. */
  ensure(dir: string, lowerDirs: readonly string[]): void {
    if (existsSync(this.path(dir))) return;
    const unfinished = join(this.#directory, UNFINISHED);
    rmSync(unfinished, { recursive: true, force: true });
    mkdirSync(unfinished);
    chmodSync(unfinished, 0o755);
    const lower = new LowerLayers(this.#files);
    const nodes = planInitLayer(lowerDirs, (path, layers) => lower.find(path, layers));
    for (const node of nodes) this.#make(unfinished, node);
    // Last, since making something in a directory changes its time.
    for (const node of nodes)
      if (node.kind === 'directory' && node.like) this.#copyTime(unfinished, node.path, node.like);
    renameSync(unfinished, this.path(dir));
  }

  async remove(dir: string): Promise<void> {
    await removeTree(this.path(dir));
  }

  /** Removes the layers of images that are gone. */
  async recover(known: ReadonlySet<string>): Promise<void> {
    const strays = (await readdir(this.#directory)).filter((name) => name !== BOOT_FILE && !known.has(name));
    await Promise.all(strays.map((name) => this.remove(name)));
  }

  #make(root: string, node: InitNode): void {
    const path = join(root, node.path);
    if (node.kind === 'link') {
      symlinkSync(node.to, path);
      return;
    }
    if (node.kind === 'file') writeFileSync(path, '', { flag: 'wx' });
    else mkdirSync(path);
    // Whatever our umask.
    chmodSync(path, 0o755);
    if (node.kind === 'directory' && node.like) this.#copyAttributes(path, node.path, node.like);
  }

  #copyAttributes(path: string, name: string, { stat, layers }: ImageEntry): void {
    const source = join(layers[0] ?? '', name);
    this.#files.lchown(path, Number(stat.uid), Number(stat.gid));
    chmodSync(path, Number(stat.mode & 0o7777n));
    for (const key of this.#files.llistxattr(source)) {
      const value = key.startsWith(OVERLAY_XATTRS) ? undefined : this.#files.lgetxattr(source, key);
      if (value) this.#files.lsetxattr(path, key, value);
    }
  }

  #copyTime(root: string, name: string, { stat }: ImageEntry): void {
    this.#files.lutimes(join(root, name), { accessTimeNs: stat.atimeNs, modifyTimeNs: stat.mtimeNs });
  }
}
