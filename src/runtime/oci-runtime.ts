import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { EngineError } from '#errors';
import { randomHex } from '#lib';
import { type oci, runtimeMessage } from '#spec';
import type { Sys } from '#sys';
import { CompiledFilters } from './crun/compiled-filters.ts';
import { deleteEnded, startThroughFifo } from './crun/shortcuts.ts';
import { runProgram } from './run-program.ts';
import { serializeSpec } from './spec/serialize.ts';

const ID = /^[0-9a-f]{64}$/;
/** The first that answers is used. crun starts a container in half of runc's time. */
const PROGRAMS = ['crun', 'runc'];
const SEARCH_PATH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

export interface OciRuntimeOptions {
  sys: Pick<Sys, 'cgroups' | 'processes'>;
  path: string;
  /** From `sealProgram`; the path itself by default. */
  launchPath?: string;
  /** As {@link findRuntime} found it: crun of a known version is spared some of its own work. */
  version: RuntimeVersion;
  /** Where the runtime keeps its own notes of containers; emptied at boot, as they are worth nothing after it. */
  root: string;
  systemdCgroups: boolean;
}

export interface RuntimeState {
  id: string;
  status: 'creating' | 'created' | 'running' | 'paused' | 'stopped';
  /** Zero when stopped. */
  pid: number;
}

export interface RuntimeVersion {
  /** `crun`, `runc`. */
  name: string;
  version: string;
  commit: string;
}

/**
 * An OCI runtime's command line: each call starts one process, a few milliseconds. `create` and `exec` are missing,
 * since the monitor makes them.
 */
export class OciRuntime {
  readonly path: string;
  /** What the monitor executes: the program, or its sealed copy. */
  readonly launchPath: string;
  /** What goes before every command, the monitor's among them. */
  readonly globalArgs: readonly string[];
  readonly #root: string;
  readonly #sys: OciRuntimeOptions['sys'];
  /** Undefined for a runtime whose files we do not know. */
  readonly #filters: CompiledFilters | undefined;

  constructor({ sys, path, launchPath, version, root, systemdCgroups }: OciRuntimeOptions) {
    mkdirSync(root, { recursive: true, mode: 0o700 });
    const isKnown = version.name === 'crun' && version.version.startsWith('1.');
    this.#sys = sys;
    this.#filters = isKnown
      ? new CompiledFilters(join(root, 'filters'), `${release()} ${version.version} ${version.commit}`)
      : undefined;
    this.path = path;
    this.launchPath = launchPath ?? path;
    this.#root = root;
    this.globalArgs = [`--root=${root}`, ...(systemdCgroups ? ['--systemd-cgroup'] : [])];
  }

  /** The specification to hand to the runtime: with what it need not compute again. */
  prepare(spec: oci.RuntimeSpec): oci.RuntimeSpec {
    return this.#filters?.apply(spec) ?? spec;
  }

  /** A container of this specification (as {@link prepare} gave it) was created. */
  created(id: string, spec: oci.RuntimeSpec): void {
    this.#filters?.learn(spec, join(this.#root, id));
  }

  /** Lets a created container's process run. */
  async start(id: string): Promise<void> {
    if (this.#filters && startThroughFifo(join(this.#root, id))) return;
    await this.#run(['start', id]);
  }

  /** Signals the first process, or with `all` every process of the container. */
  async kill(id: string, signal: number, options: { all: boolean } = { all: false }): Promise<void> {
    await this.#run(['kill', ...(options.all ? ['--all'] : []), id, String(signal)]);
  }

  /** Removes the runtime's notes and the control groups; with `force` kills what still runs. Repeatable. */
  async delete(id: string, options: { force: boolean } = { force: false }): Promise<void> {
    if (!this.list().includes(id)) return;
    if (this.#filters && deleteEnded(join(this.#root, id), this.#sys)) return;
    try {
      await this.#run(['delete', ...(options.force ? ['--force'] : []), id]);
    } catch (error) {
      if (this.list().includes(id)) throw error;
    }
  }

  /** @throws notFound when the runtime knows no such container. */
  async state(id: string): Promise<RuntimeState> {
    if (!this.list().includes(id)) {
      throw new EngineError('notFound', 'RUNTIME_UNKNOWN_ID', `the runtime knows no container ${id}`);
    }
    return parseState(await this.#run(['state', id]));
  }

  /** The containers that the runtime has notes of; no process is started. */
  list(): string[] {
    return readdirSync(this.#root).filter((name) => ID.test(name));
  }

  /** Changes the limits of a container that lives. */
  async update(id: string, resources: oci.RuntimeResources): Promise<void> {
    const { devices: _fixed, ...limits } = resources;
    // Of standard input crun makes /dev/stdin, which cannot be opened when it is a socket.
    const file = join(this.#root, `update-${randomHex(8)}.json`);
    writeFileSync(file, serializeSpec(limits), { mode: 0o600 });
    try {
      await this.#run(['update', '--resources', file, id]);
    } finally {
      rmSync(file, { force: true });
    }
  }

  async #run(args: readonly string[]): Promise<string> {
    const result = await runProgram(this.path, [...this.globalArgs, ...args]);
    if (result.exitCode === 0) return result.stdout;
    const message = runtimeMessage(result.stderr) || `exit code ${result.exitCode}`;
    throw new EngineError('internal', 'RUNTIME_FAILED', message, {
      details: { command: args[0], exitCode: result.exitCode },
    });
  }
}

function parseState(text: string): RuntimeState {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || !('id' in value) || !('status' in value) || !('pid' in value)) {
    throw new EngineError('internal', 'RUNTIME_ANSWER', 'the runtime answered no container state');
  }
  const { id, status, pid } = value;
  if (typeof id !== 'string' || typeof pid !== 'number' || !isStatus(status)) {
    throw new EngineError('internal', 'RUNTIME_ANSWER', 'the runtime answered an unknown container state');
  }
  return { id, status, pid };
}

function isStatus(status: unknown): status is RuntimeState['status'] {
  return (
    status === 'creating' || status === 'created' || status === 'running' || status === 'paused' || status === 'stopped'
  );
}

/**
 * Finds a runtime by asking programs for their version.
 *
 * @param wanted - A path or name; undefined takes the first of crun and runc.
 * @throws unavailable when none answers.
 */
export async function findRuntime(wanted?: string): Promise<{ path: string; version: RuntimeVersion }> {
  const names = wanted === undefined ? PROGRAMS : [wanted];
  for (const path of names.flatMap((name) =>
    name.includes('/') ? [name] : SEARCH_PATH.map((dir) => `${dir}/${name}`),
  )) {
    try {
      const { exitCode, stdout } = await runProgram(path, ['--version']);
      if (exitCode === 0) return { path, version: parseVersion(stdout) };
    } catch {
      // Not there, or not a program: the next one.
    }
  }
  throw new EngineError('unavailable', 'NO_RUNTIME', `no OCI runtime found: ${names.join(' or ')} must be installed`);
}

/** Reads `crun version 1.8.1\ncommit: …` and runc's like. */
export function parseVersion(text: string): RuntimeVersion {
  const [, name = '', version = ''] = /^(\S+) version (\S+)/.exec(text) ?? [];
  return { name, version, commit: /^commit: (\S+)/m.exec(text)?.[1] ?? '' };
}
