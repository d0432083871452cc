import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { packTree, unpack } from '#archive';
import type { ChainId } from '#spec';
import type { Tree } from '../plan/index.ts';
import type { StepLayer, StepLayers } from './step-layers.ts';

/** Folders in which the trees of a build can be read. Images and steps are mounted once each; disposing unmounts them. */
export class OpenTrees implements AsyncDisposable {
  readonly #layers: StepLayers;
  readonly #contexts: ReadonlyMap<string, string>;
  readonly #scratch: string;
  readonly #mounted = new Map<ChainId | undefined, Promise<StepLayer>>();

  /** @param scratch - folder for copies, on the disk. */
  constructor(layers: StepLayers, contexts: ReadonlyMap<string, string>, scratch: string) {
    this.#layers = layers;
    this.#contexts = contexts;
    this.#scratch = scratch;
  }

  /** For reading only. @param solved - what the tree's step made. */
  async open(tree: Tree, solved: ChainId | undefined): Promise<string> {
    if (tree.kind === 'context') return this.#context(tree.name);
    const mounted = this.#mounted.get(solved) ?? this.#layers.open(solved, { bare: true });
    this.#mounted.set(solved, mounted);
    return (await mounted).root;
  }

  /** A view of its own that may be written to; what is written goes with it. */
  async openWritable(
    tree: Tree,
    solved: ChainId | undefined,
    signal: AbortSignal,
  ): Promise<{ root: string } & AsyncDisposable> {
    if (tree.kind !== 'context') return await this.#layers.open(solved, { bare: true });
    const root = mkdtempSync(join(this.#scratch, 'context-'));
    const remove = (): Promise<void> => rm(root, { recursive: true, force: true });
    try {
      const stream = packTree({ root: this.#context(tree.name), mode: 'plain', signal });
      await unpack({ source: { stream }, root, whiteouts: 'literal', signal });
      return { root, [Symbol.asyncDispose]: remove };
    } catch (error) {
      await remove();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const opened = await Promise.allSettled(this.#mounted.values());
    this.#mounted.clear();
    const layers = opened.flatMap((layer) => (layer.status === 'fulfilled' ? layer.value : []));
    await Promise.all(layers.map((layer) => layer[Symbol.asyncDispose]()));
  }

  #context(name: string): string {
    const directory = this.#contexts.get(name);
    if (directory === undefined) throw new Error(`there is no context ${JSON.stringify(name)}`);
    return directory;
  }
}
