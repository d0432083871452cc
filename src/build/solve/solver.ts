import { failpoint, formatRfc3339Nano, nowNano, randomHex, type Semaphore } from '#lib';
import { RootFiles } from '#runtime';
import type { ChainId } from '#spec';
import type { Lease, Store } from '#store';
import type { Sys } from '#sys';
import type { BuildEvent, BuildRequest, Executor, FetchedTree, FetchSource } from '../contract.ts';
import type { CacheMounts } from '../ops/cache-mounts.ts';
import { copyInto, type CopyTree, digestOfCopy } from '../ops/copy.ts';
import { runStep } from '../ops/run.ts';
import type { StepLayer, StepLayers } from '../ops/step-layers.ts';
import type { OpenTrees } from '../ops/trees.ts';
import type { CopyOp, CopySource, LayerStep, MkdirOp, RunOp, Tree } from '../plan/index.ts';
import { cacheKey } from './cache-key.ts';
import type { Flights } from './flights.ts';
import { sourceDateEpoch } from './source-date-epoch.ts';

/** What all builds of an engine share. */
export interface SolverEngine {
  readonly store: Store;
  readonly sys: Sys;
  readonly layers: StepLayers;
  readonly executor: Executor;
  readonly cacheMounts: CacheMounts;
  readonly flights: Flights<Made, StepEvent>;
  /** How many steps run at once, over all builds. */
  readonly slots: Semaphore;
  readonly fetch: FetchSource;
  /** Folder for files that live as long as a step, in memory. */
  readonly scratch: string;
}

/** What happens while a step is made, whoever's build it belongs to. */
export type StepEvent =
  | { readonly kind: 'started'; readonly runId: string }
  | { readonly kind: 'output'; readonly stream: 'stdout' | 'stderr'; readonly data: Buffer };

/** What a step made. */
export interface Made {
  readonly chainId: ChainId;
  /** RFC 3339. */
  readonly createdAt: string;
}

type Tell = (event: StepEvent) => Promise<void>;
type StepWork = (layer: StepLayer, signal: AbortSignal, tell: Tell) => Promise<void>;

/** A step's outcome in this build. */
export interface Solved extends Made {
  readonly cached: boolean;
}

export interface SolverOptions {
  readonly engine: SolverEngine;
  readonly request: BuildRequest;
  readonly trees: OpenTrees;
  /** Pins what is made until the image has it. */
  readonly lease: Lease;
  readonly report: (event: BuildEvent) => void | Promise<void>;
  readonly signal: AbortSignal;
}

/**
 * Solves the steps of one build: each once, those that do not wait for each other side by side, from the cache where its key is known.
 * A step that another build is at is waited for.
 */
export class Solver {
  readonly #options: SolverOptions;
  readonly #solved = new Map<string, Promise<Solved>>();

  constructor(options: SolverOptions) {
    this.#options = options;
  }

  /** The layers of a tree; undefined for none. Contexts have none. */
  async chainOf(tree: Tree): Promise<ChainId | undefined> {
    if (tree.kind === 'image') return tree.image.chainId;
    return tree.kind === 'step' ? (await this.solve(tree.step)).chainId : undefined;
  }

  solve(step: LayerStep): Promise<Solved> {
    const known = this.#solved.get(step.id);
    if (known) return known;
    const solving = this.#solve(step);
    this.#solved.set(step.id, solving);
    return solving;
  }

  async #solve(step: LayerStep): Promise<Solved> {
    const { report } = this.#options;
    const needed = await Promise.all([step.parent, ...treesOf(step)].map((tree) => this.chainOf(tree)));
    this.#options.signal.throwIfAborted();
    try {
      const solved = await this.#solveReady(step, needed[0]);
      await report({ kind: 'finished', stepId: step.id, cached: solved.cached, chainId: solved.chainId });
      return solved;
    } catch (error) {
      await report({ kind: 'failed', stepId: step.id, error });
      throw error;
    }
  }

  async #solveReady(step: LayerStep, parent: ChainId | undefined): Promise<Solved> {
    const { op } = step;
    if (op.kind === 'run') return await this.#solveRun(step, op, parent);
    if (op.kind === 'copy') return await this.#solveCopy(step, op, parent);
    return await this.#fromCacheOr(step, this.#key(op, parent, []), parent, (layer) => this.#mkdir(op, layer));
  }

  async #solveRun(step: LayerStep, op: RunOp, parent: ChainId | undefined): Promise<Solved> {
    const { request } = this.#options;
    const digests: string[] = [];
    for (const mount of op.mounts) digests.push(await this.#mountDigest(mount.tree, mount.source));
    // Another resource limit is not another result, but what a step can see of its surroundings is.
    const { extraHosts, shmSizeBytes, securityOptions, ulimits } = request.limits;
    const surroundings = { network: request.network, extraHosts, shmSizeBytes, securityOptions, ulimits };
    const key = this.#key(op, parent, digests, surroundings);
    return await this.#fromCacheOr(step, key, parent, (layer, signal, tell) => this.#run(op, layer, signal, tell));
  }

  async #solveCopy(step: LayerStep, op: CopyOp, parent: ChainId | undefined): Promise<Solved> {
    const { engine, signal } = this.#options;
    await using fetched = new AsyncDisposableStack();
    const { trees, digests } = await this.#copyTrees(op, fetched);
    const input = { op, trees, sys: engine.sys, signal };
    digests.push(await digestOfCopy(input));
    return await this.#fromCacheOr(step, this.#key(op, parent, digests), parent, (layer, stepSignal) =>
      copyInto(layer.root, { ...input, signal: stepSignal }),
    );
  }

  #key(op: RunOp | CopyOp | MkdirOp, parent: ChainId | undefined, digests: readonly string[], seen?: unknown): string {
    const { targetPlatform: platform, buildArgs } = this.#options.request;
    const newestSeconds = sourceDateEpoch(buildArgs);
    return cacheKey(op, {
      parent,
      platform,
      digests,
      ...(newestSeconds === undefined ? {} : { newestSeconds }),
      ...(seen === undefined ? {} : { surroundings: seen }),
    });
  }

  async #fromCacheOr(step: LayerStep, key: string, parent: ChainId | undefined, work: StepWork): Promise<Solved> {
    const { engine, signal, lease, report } = this.#options;
    const cached = step.noCache ? undefined : this.#cached(key);
    if (cached) return { ...cached, cached: true };
    // A build that takes nothing from the cache shares with nobody either.
    const flight = step.noCache ? randomHex(16) : key;
    const made = await engine.flights.join(
      flight,
      signal,
      (event) => report({ ...event, stepId: step.id }),
      (stepSignal, tell) =>
        engine.slots.run(() => this.#make(step, key, { parent, work, tell }, stepSignal), stepSignal),
    );
    lease.pinLayer(made.chainId);
    return { ...made, cached: false };
  }

  /** Pinned first and looked for after, so that a collection cannot come between. */
  #cached(key: string): Made | undefined {
    const { store } = this.#options.engine;
    const record = store.buildCache.find(key);
    if (!record) return undefined;
    this.#options.lease.pinLayer(record.chainId);
    if (!store.layers.find(record.chainId)) return undefined;
    store.buildCache.touch(key, formatRfc3339Nano(nowNano()));
    return { chainId: record.chainId, createdAt: record.createdAt };
  }

  async #make(
    step: LayerStep,
    key: string,
    { parent, work, tell }: { parent: ChainId | undefined; work: StepWork; tell: Tell },
    signal: AbortSignal,
  ): Promise<Made> {
    const { engine, request } = this.#options;
    using lease = engine.store.leases.open();
    await using layer = await engine.layers.open(parent, { bare: step.op.kind !== 'run' });
    await tell({ kind: 'started', runId: layer.id });
    await work(layer, signal, tell);
    signal.throwIfAborted();
    const newestSeconds = sourceDateEpoch(request.buildArgs);
    const chainId = await engine.layers.commit(layer, lease, { newestSeconds, signal });
    const createdAt = formatRfc3339Nano(nowNano());
    engine.store.buildCache.put({ key, chainId, kind: step.op.kind, description: step.text, createdAt });
    failpoint('build-step-cached');
    return { chainId, createdAt };
  }

  #mkdir(op: MkdirOp, layer: StepLayer): Promise<void> {
    using files = new RootFiles(layer.root, this.#options.engine.sys.files);
    files.ensureDirectory(op.path);
    return Promise.resolve();
  }

  async #run(op: RunOp, layer: StepLayer, signal: AbortSignal, tell: Tell): Promise<void> {
    const { engine, request, trees } = this.#options;
    await using open = new AsyncDisposableStack();
    await runStep({
      op,
      id: layer.id,
      root: layer.root,
      openTree: async ({ tree, readOnly, type }) => {
        const chain = await this.chainOf(tree);
        if (readOnly || type === 'cache') return await trees.open(tree, chain);
        return open.use(await trees.openWritable(tree, chain, signal)).root;
      },
      cacheMounts: engine.cacheMounts,
      secrets: request.secrets,
      scratch: engine.scratch,
      executor: engine.executor,
      network: request.network,
      limits: request.limits,
      sys: engine.sys,
      output: (stream, data) => tell({ kind: 'output', stream, data }),
      signal,
    });
  }

  /** Stages and images count by their layers; of a context, the part that is mounted by its content. */
  async #mountDigest(tree: Tree, source: string): Promise<string> {
    if (tree.kind !== 'context') return (await this.chainOf(tree)) ?? '';
    const { engine, signal } = this.#options;
    const op: CopyOp = {
      kind: 'copy',
      sources: [],
      destination: '/',
      chown: '',
      chmod: '',
      link: false,
      exclude: [],
      parents: true,
      unpack: 'never',
    };
    const trees = [await this.#copyTree(tree, [source === '' ? '.' : source])];
    return await digestOfCopy({ op, trees, sys: engine.sys, signal });
  }

  async #copyTrees(op: CopyOp, fetched: AsyncDisposableStack): Promise<{ trees: CopyTree[]; digests: string[] }> {
    const trees: CopyTree[] = [];
    const digests: string[] = [];
    for (const source of op.sources) {
      if (source.kind === 'paths') trees.push(await this.#copyTree(source.tree, source.paths));
      else if (source.kind !== 'inline') {
        const tree = fetched.use(await this.#fetch(source));
        digests.push(tree.digest);
        trees.push({ root: tree.root, paths: [tree.file ?? '.'], ignore: [], isLocal: false });
      }
    }
    return { trees, digests };
  }

  async #fetch(source: Extract<CopySource, { kind: 'http' | 'git' }>): Promise<FetchedTree> {
    const { engine, signal } = this.#options;
    return await engine.fetch(source, signal);
  }

  async #copyTree(tree: Tree, paths: readonly string[]): Promise<CopyTree> {
    const isLocal = tree.kind === 'context';
    const ignore = isLocal && tree.name === '' ? this.#options.request.ignore : [];
    return { root: await this.#options.trees.open(tree, await this.chainOf(tree)), paths, ignore, isLocal };
  }
}

/** The trees that a step reads besides the one it works on. */
function treesOf({ op }: LayerStep): Tree[] {
  if (op.kind === 'run') return op.mounts.map(({ tree }) => tree);
  return op.kind === 'copy' ? op.sources.flatMap((source) => (source.kind === 'paths' ? source.tree : [])) : [];
}
