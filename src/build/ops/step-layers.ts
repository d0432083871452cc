import { lutimesSync } from 'node:fs';
import { packTree, type UnpackResult } from '#archive';
import { failpoint, randomHex } from '#lib';
import type { ChainId } from '#spec';
import { chainIdOf, type IngestedFile, type Lease, type Store } from '#store';
import type { Sys } from '#sys';

/** A writable view on a stack of layers, for one step or for reading. Disposing takes it away with what was written. */
export interface StepLayer extends AsyncDisposable {
  /** 64 hex digits. */
  readonly id: string;
  readonly parent: ChainId | undefined;
  /** Where it is mounted. */
  readonly root: string;
}

/**
 * Layers that steps write to. They are named and recovered as containers' are: what a killed daemon leaves of them has no container
 * and goes at the next start.
 */
export class StepLayers {
  readonly #store: Store;
  readonly #sys: Pick<Sys, 'files'>;

  constructor(store: Store, sys: Pick<Sys, 'files'>) {
    this.#store = store;
    this.#sys = sys;
  }

  /**
   * A fresh layer over `parent`, mounted without syncing: a step that is cut off is run again.
   *
   * @param options - `bare`: without the mount points that a runtime needs.
   */
  async open(parent: ChainId | undefined, options: { bare: boolean }): Promise<StepLayer> {
    const { containerLayers } = this.#store;
    const id = randomHex(32);
    const remove = (): Promise<void> => containerLayers.remove(id);
    try {
      await containerLayers.create(id, parent);
      const root = await containerLayers.mount(id, { volatile: true, ...options });
      return { id, parent, root, [Symbol.asyncDispose]: remove };
    } catch (error) {
      await remove();
      throw error;
    }
  }

  /**
   * Makes what was written a layer on the parent. The step's layer is used up by it.
   *
   * @param options - `newestSeconds`: no file is newer than that, seconds since 1970.
   * @returns its chain, pinned by the lease.
   */
  async commit(
    layer: StepLayer,
    lease: Lease,
    { newestSeconds, signal }: { newestSeconds: number | undefined; signal: AbortSignal },
  ): Promise<ChainId> {
    const { blobs, layers, containerLayers } = this.#store;
    const sizeBytes = await containerLayers.usageBytes(layer.id);
    await containerLayers.unmount(layer.id);
    const upper = containerLayers.upperDir(layer.id);
    if (newestSeconds !== undefined) this.#clampTimes(upper, newestSeconds);
    const { file, result } = await this.#packUpper(upper, sizeBytes, signal);
    try {
      lease.pinBlob(file.digest);
      const chainId = chainIdOf(layer.parent, result.diffId);
      lease.pinLayer(chainId);
      await blobs.commit(file);
      failpoint('build-layer-packed');
      const unpacked = { path: upper, result, [Symbol.asyncDispose]: (): Promise<void> => Promise.resolve() };
      const wanted = { parent: layer.parent, diffId: result.diffId, blobDigest: file.digest };
      await layers.ensure(wanted, () => Promise.resolve(unpacked), signal);
      failpoint('build-layer-added');
      return chainId;
    } finally {
      await blobs.discard(file);
    }
  }

  #clampTimes(upper: string, seconds: number): void {
    const newestNs = BigInt(seconds) * 1_000_000_000n;
    for (const { fullPath, stat } of this.#sys.files.walkTree(upper)) {
      if (stat.mtimeNs > newestNs) lutimesSync(fullPath, seconds, seconds);
    }
  }

  async #packUpper(
    upper: string,
    contentSizeBytes: number,
    signal: AbortSignal,
  ): Promise<{ file: IngestedFile; result: UnpackResult }> {
    await using writer = await this.#store.blobs.createWriter();
    let tarSizeBytes = 0;
    for await (const chunk of packTree({ root: upper, mode: 'overlay-upper', signal })) {
      const bytes = chunk as Buffer;
      tarSizeBytes += bytes.length;
      await writer.write(bytes);
    }
    const file = await writer.finish();
    return { file, result: { diffId: file.digest, tarSizeBytes, contentSizeBytes, entries: 0 } };
  }
}
