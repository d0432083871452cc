import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, posix } from 'node:path';
import { EngineError } from '#errors';
import { RootFiles, type SpecMount } from '#runtime';
import type { Sys } from '#sys';
import type { Executor, StepLimits } from '../contract.ts';
import type { RunOp } from '../plan/index.ts';
import type { CacheMounts } from './cache-mounts.ts';

type PlannedMount = RunOp['mounts'][number];

export interface RunInput {
  readonly op: RunOp;
  /** 64 hex digits, of this run alone. */
  readonly id: string;
  /** Mounted root that the step writes to. */
  readonly root: string;
  /** The folder of a mount's tree. */
  readonly openTree: (mount: PlannedMount) => Promise<string>;
  readonly cacheMounts: CacheMounts;
  readonly secrets: ReadonlyMap<string, Buffer>;
  /** Folder for files that live as long as the step, in memory. */
  readonly scratch: string;
  readonly executor: Executor;
  readonly network: string;
  readonly limits: StepLimits;
  readonly sys: Sys;
  readonly output: (stream: 'stdout' | 'stderr', data: Buffer) => void | Promise<void>;
  readonly signal: AbortSignal;
}

const DEFAULT_SECRET_MODE = 0o400;

/**
 * Runs a step in its layer. What was made only to mount something on is gone afterwards, unless the step has put something there.
 *
 * @throws invalidArgument `BUILD_STEP_FAILED` with Docker's text and the exit code when the command fails.
 */
export async function runStep(input: RunInput): Promise<void> {
  await using open = new AsyncDisposableStack();
  const scratch = mkdtempSync(join(input.scratch, 'step-'));
  open.defer(() => rmSync(scratch, { recursive: true, force: true }));
  const prepared = await new MountPreparer(input, scratch, open).prepare();
  const { op } = input;
  using files = new RootFiles(input.root, input.sys.files);
  const missing = prepared.mounts.flatMap(({ destination }) => missingPaths(files, destination));
  try {
    const exitCode = await input.executor.run({
      id: input.id,
      rootfs: input.root,
      args: op.args,
      env: [...op.env, ...op.proxyEnv, ...prepared.env],
      workingDir: op.workingDir,
      user: op.user,
      hostname: op.hostname,
      network: op.network === 'default' ? input.network : op.network,
      privileged: op.security === 'insecure',
      devices: op.devices,
      mounts: prepared.mounts,
      limits: input.limits,
      output: input.output,
      signal: input.signal,
    });
    if (exitCode !== 0) throw stepFailed(op, exitCode);
  } finally {
    for (const path of missing.reverse()) files.removeEmpty(path);
  }
}

function stepFailed(op: RunOp, exitCode: number): EngineError {
  const command = op.args.join(' ');
  return new EngineError(
    'invalidArgument',
    'BUILD_STEP_FAILED',
    `The command '${command}' returned a non-zero code: ${exitCode}`,
    { details: { exitCode } },
  );
}

/** The parts of a path that are not there yet, outermost first. */
function missingPaths(files: RootFiles, path: string): string[] {
  const missing: string[] = [];
  for (let at = posix.normalize(path); at !== '/' && files.resolve(at) === undefined; at = posix.dirname(at)) {
    missing.unshift(at);
  }
  return missing;
}

class MountPreparer {
  readonly #input: RunInput;
  readonly #scratch: string;
  readonly #open: AsyncDisposableStack;
  readonly #mounts: SpecMount[] = [];
  readonly #env: string[] = [];

  constructor(input: RunInput, scratch: string, open: AsyncDisposableStack) {
    this.#input = input;
    this.#scratch = scratch;
    this.#open = open;
  }

  async prepare(): Promise<{ mounts: SpecMount[]; env: string[] }> {
    const { op } = this.#input;
    for (const mount of op.mounts) await this.#prepare(mount);
    if (op.script) {
      const path = this.#file('script', Buffer.from(op.script.content), { mode: 0o755, uid: 0, gid: 0 });
      this.#bind(path, op.script.path, true, false);
    }
    return { mounts: this.#mounts, env: this.#env };
  }

  async #prepare(mount: PlannedMount): Promise<void> {
    switch (mount.type) {
      case 'bind':
        this.#bindBeneath(await this.#input.openTree(mount), mount);
        return;
      case 'cache': {
        const seed = mount.tree.kind === 'scratch' ? undefined : await this.#seed(mount);
        const folder = this.#open.use(await this.#input.cacheMounts.open(mount, seed, this.#input.signal));
        this.#bind(folder.path, mount.target, mount.readOnly, true);
        return;
      }
      case 'tmpfs':
        this.#mounts.push({
          ...common,
          type: 'tmpfs',
          source: '',
          destination: mount.target,
          readOnly: false,
          tmpfsOptions: mount.sizeBytes > 0 ? [`size=${mount.sizeBytes}`] : [],
        });
        return;
      case 'secret':
        this.#secret(mount);
        return;
      case 'ssh':
        if (mount.required)
          throw invalid('SSH_UNAVAILABLE', 'ssh agent is required, but none is forwarded to this build');
    }
  }

  async #seed(mount: PlannedMount): Promise<string> {
    const root = await this.#input.openTree(mount);
    return join(root, this.#resolve(root, mount).path);
  }

  #bindBeneath(root: string, mount: PlannedMount): void {
    const { path, isDirectory } = this.#resolve(root, mount);
    this.#bind(join(root, path), mount.target, mount.readOnly, isDirectory);
  }

  /** Links are followed inside the tree; nothing changes it as long as the build reads it. */
  #resolve(root: string, mount: PlannedMount): { path: string; isDirectory: boolean } {
    using files = new RootFiles(root, this.#input.sys.files);
    const found = files.resolve(posix.resolve('/', mount.source));
    if (found) return found;
    throw new EngineError(
      'notFound',
      'MOUNT_SOURCE_MISSING',
      `failed to compute cache key: ${JSON.stringify(posix.resolve('/', mount.source))}: not found`,
    );
  }

  #secret(mount: PlannedMount): void {
    const id = mount.id || mount.source || basename(mount.target);
    const content = this.#input.secrets.get(id);
    if (content === undefined) {
      if (mount.required) throw invalid('SECRET_MISSING', `secret ${id}: not found`);
      return;
    }
    if (mount.env !== undefined) this.#env.push(`${mount.env || id}=${content.toString('utf8')}`);
    if (mount.env !== undefined && mount.target === '') return;
    const owner = { mode: mount.mode ?? DEFAULT_SECRET_MODE, uid: mount.uid ?? 0, gid: mount.gid ?? 0 };
    const path = this.#file(`secret-${this.#mounts.length}`, content, owner);
    this.#bind(path, mount.target || `/run/secrets/${basename(id)}`, true, false);
  }

  #file(name: string, content: Buffer, { mode, uid, gid }: { mode: number; uid: number; gid: number }): string {
    const path = join(this.#scratch, name);
    mkdirSync(this.#scratch, { recursive: true, mode: 0o700 });
    writeFileSync(path, content, { mode: 0o600, flag: 'wx' });
    chownSync(path, uid, gid);
    chmodSync(path, mode);
    return path;
  }

  #bind(source: string, destination: string, readOnly: boolean, isDirectory: boolean): void {
    this.#mounts.push({
      ...common,
      type: 'bind',
      source,
      destination,
      readOnly,
      readOnlyNonRecursive: !isDirectory,
      tmpfsOptions: [],
    });
  }
}

const common = { propagation: 'rprivate', recursive: true } as const;

function invalid(code: string, message: string): EngineError {
  return new EngineError('invalidArgument', code, message);
}
