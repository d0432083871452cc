import { mkdirSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { formatRfc3339Nano, nowNano, Semaphore } from '#lib';
import { type ChainId, PathPatterns } from '#spec';
import type { Layer, Store } from '#store';
import type { Sys } from '#sys';
import type { BuildEvent, BuildImages, BuildRequest, BuildResult, Executor, FetchSource } from './contract.ts';
import { parseDockerfile } from './dockerfile/index.ts';
import { CacheMounts } from './ops/cache-mounts.ts';
import { StepLayers } from './ops/step-layers.ts';
import { OpenTrees } from './ops/trees.ts';
import { toImageConfig } from './output/image-config.ts';
import { type Plan, planBuild } from './plan/index.ts';
import { Flights } from './solve/flights.ts';
import { type Made, Solver, type SolverEngine } from './solve/solver.ts';

export interface BuilderOptions {
  readonly store: Store;
  readonly sys: Sys;
  readonly executor: Executor;
  readonly images: BuildImages;
  readonly fetch: FetchSource;
  /** Folder on the disk that is the builder's own. */
  readonly root: string;
  /** Folder in memory that is the builder's own, emptied at boot. */
  readonly execRoot: string;
}

export interface BuildOptions {
  readonly report: (event: BuildEvent) => void;
  readonly signal: AbortSignal;
}

/** Makes images of Dockerfiles. */
export class Builder {
  readonly #options: BuilderOptions;
  readonly #engine: SolverEngine;

  constructor(options: BuilderOptions) {
    const { store, sys, executor, fetch, root, execRoot } = options;
    mkdirSync(root, { recursive: true, mode: 0o700 });
    mkdirSync(execRoot, { recursive: true, mode: 0o700 });
    this.#options = options;
    this.#engine = {
      store,
      sys,
      executor,
      fetch,
      layers: new StepLayers(store),
      cacheMounts: new CacheMounts(join(root, 'cache-mounts')),
      flights: new Flights<Made>(),
      slots: new Semaphore(Math.max(4, availableParallelism() * 2)),
      scratch: execRoot,
    };
  }

  /**
   * Builds an image. Finished steps stay in the cache, also when a later one fails.
   *
   * @throws invalidArgument for what is wrong with the Dockerfile, and `BUILD_STEP_FAILED`; notFound for images and files that are not
   *   there; cancelled.
   */
  async build(request: BuildRequest, { report, signal }: BuildOptions): Promise<BuildResult> {
    const plan = await this.#plan(request, signal);
    report({ kind: 'planned', steps: plan.steps });
    for (const warning of plan.warnings) report({ kind: 'warning', warning });
    if (plan.unusedArgs.length > 0) report({ kind: 'unusedArgs', names: plan.unusedArgs });
    using lease = this.#options.store.leases.open();
    // One step that fails stops those beside it.
    const stop = new AbortController();
    const both = AbortSignal.any([signal, stop.signal]);
    const scratch = mkdtempSync(join(this.#options.root, 'build-'));
    await using open = new AsyncDisposableStack();
    open.defer(() => rm(scratch, { recursive: true, force: true }));
    const trees = open.use(new OpenTrees(this.#engine.layers, request.contexts, scratch));
    const solver = new Solver({ engine: this.#engine, request, trees, lease, report, signal: both });
    try {
      return await this.#finish(plan, request, solver);
    } catch (error) {
      stop.abort(error);
      await Promise.allSettled(plan.steps.filter((step) => step.kind === 'layer').map((step) => solver.solve(step)));
      throw error;
    }
  }

  async #plan(request: BuildRequest, signal: AbortSignal): Promise<Plan> {
    const { text, name } = request.dockerfile;
    const check = request.buildArgs.get('BUILDKIT_DOCKERFILE_CHECK');
    const dockerfile = parseDockerfile(text, { name, check });
    const ignored = new PathPatterns(request.ignore);
    return await planBuild({
      ...request,
      dockerfile,
      isIgnored: (path) => ignored.matches(path.replace(/^\.?\/+/, '')),
      resolveImage: (reference, platform) =>
        this.#options.images.resolve(reference, platform, { pull: request.pull, signal }),
    });
  }

  async #finish(plan: Plan, request: BuildRequest, solver: Solver): Promise<BuildResult> {
    // Stages are begun together; each step waits for what it needs.
    const solved = new Map(
      await Promise.all(
        plan.steps.map(async (step) => [step, step.kind === 'layer' ? await solver.solve(step) : undefined] as const),
      ),
    );
    const layers = this.#layersOf(await solver.chainOf(plan.result));
    const epoch = parseEpoch(request.buildArgs.get('SOURCE_DATE_EPOCH'));
    const config = toImageConfig({
      plan,
      diffIds: layers.map(({ diffId }) => diffId),
      createdAt: (step) => solved.get(step)?.createdAt,
      epoch,
      now: formatRfc3339Nano(nowNano()),
    });
    const imageId = await this.#options.images.add({
      config: Buffer.from(JSON.stringify(config)),
      base: plan.base,
      layers: layers.map(({ chainId }) => chainId),
      references: request.references,
    });
    return { imageId, config };
  }

  /** A stack's layers from the bottom. */
  #layersOf(chainId: ChainId | undefined): Layer[] {
    const layers: Layer[] = [];
    for (let next = chainId; next !== undefined;) {
      const layer = this.#options.store.layers.get(next);
      layers.unshift(layer);
      next = layer.parentChainId;
    }
    return layers;
  }
}

/** Seconds since 1970 as RFC 3339. */
function parseEpoch(text: string | undefined): string | undefined {
  if (text === undefined || !/^\d{1,12}$/.test(text)) return undefined;
  return formatRfc3339Nano(BigInt(text) * 1_000_000_000n);
}
