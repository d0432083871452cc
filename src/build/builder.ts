import { mkdirSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import { EngineError } from '#errors';
import { failpoint, formatRfc3339Nano, nowNano, Semaphore } from '#lib';
import { type ChainId, PathPatterns } from '#spec';
import type { Layer, Lease, Store } from '#store';
import type { Sys } from '#sys';
import type { ContextFolders } from './context/context-folders.ts';
import type { BuildEvent, BuildImages, BuildRequest, BuildResult, Executor, FetchSource } from './contract.ts';
import { parseDockerfile } from './dockerfile/index.ts';
import type { CacheMounts } from './ops/cache-mounts.ts';
import { StepLayers } from './ops/step-layers.ts';
import { OpenTrees } from './ops/trees.ts';
import { toImageConfig } from './output/image-config.ts';
import { type Plan, planBuild } from './plan/index.ts';
import { Flights } from './solve/flights.ts';
import { sourceDateEpoch } from './solve/source-date-epoch.ts';
import { type Made, Solver, type SolverEngine, type StepEvent } from './solve/solver.ts';

export interface BuilderOptions {
  readonly store: Store;
  readonly sys: Sys;
  readonly executor: Executor;
  readonly images: BuildImages;
  readonly fetch: FetchSource;
  /** Folders on the disk for copies that a build may write to. */
  readonly work: ContextFolders;
  readonly cacheMounts: CacheMounts;
  /** Folder in memory that is the builder's own; emptied now. */
  readonly execRoot: string;
}

export interface BuildOptions {
  /** Called in order. What runs waits for what it answers. */
  readonly report: (event: BuildEvent) => void | Promise<void>;
  readonly signal: AbortSignal;
}

/** Makes images of Dockerfiles. */
export class Builder {
  readonly #options: BuilderOptions;
  readonly #engine: SolverEngine;

  constructor(options: BuilderOptions) {
    const { store, sys, executor, fetch, cacheMounts, execRoot } = options;
    rmSync(execRoot, { recursive: true, force: true });
    mkdirSync(execRoot, { recursive: true, mode: 0o700 });
    this.#options = options;
    this.#engine = {
      store,
      sys,
      executor,
      fetch,
      layers: new StepLayers(store, sys),
      cacheMounts,
      flights: new Flights<Made, StepEvent>(),
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
    using lease = this.#options.store.leases.open();
    const plan = await this.#plan(request, { report, signal }, lease);
    await report({ kind: 'planned', globalArgs: plan.globalArgs, steps: plan.steps });
    for (const warning of plan.warnings) await report({ kind: 'warning', warning });
    if (plan.unusedArgs.length > 0) await report({ kind: 'unusedArgs', names: plan.unusedArgs });
    // One step that fails stops those beside it.
    const stop = new AbortController();
    const both = AbortSignal.any([signal, stop.signal]);
    await using scratch = await this.#options.work.create();
    await using trees = new OpenTrees(this.#engine.layers, request.contexts, scratch.path);
    const solver = new Solver({ engine: this.#engine, request, trees, lease, report, signal: both });
    try {
      return await this.#finish(plan, request, solver, both);
    } catch (error) {
      stop.abort(error);
      await Promise.allSettled(plan.steps.filter((step) => step.kind === 'layer').map((step) => solver.solve(step)));
      throw error;
    }
  }

  /**
   * Reads and plans only. Warnings are reported, base images looked up.
   *
   * @throws invalidArgument for what is wrong with the Dockerfile.
   */
  async check(request: BuildRequest, options: BuildOptions): Promise<void> {
    using lease = this.#options.store.leases.open();
    const { warnings } = await this.#plan(request, options, lease);
    for (const warning of warnings) await options.report({ kind: 'warning', warning });
  }

  async #plan(request: BuildRequest, { report, signal }: BuildOptions, lease: Lease): Promise<Plan> {
    const { text, name } = request.dockerfile;
    const check = request.buildArgs.get('BUILDKIT_DOCKERFILE_CHECK');
    const dockerfile = parseDockerfile(text, { name, check });
    const ignored = new PathPatterns(request.ignore);
    const plan = await planBuild({
      ...request,
      dockerfile,
      isIgnored: (path) => ignored.matches(path.replace(/^\.?\/+/, '')),
      resolveImage: async (reference, platform) => {
        const image = await this.#options.images.resolve(reference, platform, {
          pull: request.pull,
          credentials: request.credentials,
          report: (line) => void report({ kind: 'pulling', line }),
          signal,
        });
        if (image.chainId !== undefined) lease.pinLayer(image.chainId);
        return image;
      },
    });
    if (dockerfile.directives.check.error) refuseWarnings(plan.warnings);
    return plan;
  }

  async #finish(plan: Plan, request: BuildRequest, solver: Solver, signal: AbortSignal): Promise<BuildResult> {
    // Stages are begun together; each step waits for what it needs.
    const solved = new Map(
      await Promise.all(
        plan.steps.map(async (step) => [step, step.kind === 'layer' ? await solver.solve(step) : undefined] as const),
      ),
    );
    const layers = this.#layersOf(await solver.chainOf(plan.result));
    const epoch = sourceDateEpoch(request.buildArgs);
    const config = toImageConfig({
      plan,
      diffIds: layers.map(({ diffId }) => diffId),
      createdAt: (step) => solved.get(step)?.createdAt,
      epoch: epoch === undefined ? undefined : formatRfc3339Nano(BigInt(epoch) * 1_000_000_000n),
      now: formatRfc3339Nano(nowNano()),
    });
    failpoint('build-image-adding');
    const imageId = await this.#options.images.add({
      config: isBase(plan) ? undefined : Buffer.from(JSON.stringify(config)),
      base: plan.base,
      layers: layers.map(({ chainId }) => chainId),
      references: request.references,
      signal,
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

/** `# check=error=true`. @throws invalidArgument that names the rules. */
function refuseWarnings(warnings: Plan['warnings']): void {
  if (warnings.length === 0) return;
  const rules = [...new Set(warnings.map(({ rule }) => rule))].join(', ');
  throw new EngineError('invalidArgument', 'LINT_VIOLATION', `lint violation found for rules: ${rules}`, {
    details: { warnings },
  });
}

/** Nothing was added to the base image: the result is that very image. */
function isBase({ base, history, config }: Plan): boolean {
  if (!base || history.length !== (base.config.history ?? []).length) return false;
  const { OnBuild: _triggers, ...own } = base.config.config ?? {};
  return isDeepStrictEqual(own, config);
}
