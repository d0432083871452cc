import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { randomHex } from '#lib';
import { type AttachConnection, type AttachFrame, Monitor, type PreparedExec, type ProcessExit } from '#monitor';
import {
  buildExecProcess,
  buildSpec,
  findRuntime,
  hostDevices,
  type NamespaceChoices,
  OciRuntime,
  readHostFacts,
  resolveUser,
  RootFiles,
  type SpecMount,
  writeBundle,
  serializeSpec,
} from '#runtime';
import {
  type ContainerConfig,
  emptyContainerConfig,
  emptyHostConfig,
  type ExecCreateRequest,
  type HostConfig,
  type oci,
} from '#spec';
import { createLinuxSys, type Sys } from '#sys';
import { busyboxRootfs } from './busybox-image.ts';
import { until } from './until.ts';

/** How a test wants its container. */
export interface BenchContainer {
  args: string[];
  config?: Partial<ContainerConfig>;
  host?: Partial<HostConfig>;
  mounts?: SpecMount[];
  namespaces?: Partial<NamespaceChoices>;
  initPath?: string;
  groupAdd?: string[];
}

export interface Output {
  stdout: string;
  stderr: string;
}

/** Runs containers with runtime and monitor alone: no images, no networks, no engine. */
export class ContainerBench implements AsyncDisposable {
  readonly sys: Sys = createLinuxSys();
  readonly directory: string;
  readonly rootfs: string;
  readonly exits: ProcessExit[] = [];
  readonly lost: string[] = [];
  readonly #cgroupParent = `/berth-test-${randomHex(4)}`;
  #monitor: Monitor;
  #runtime: OciRuntime | undefined;

  constructor() {
    this.directory = mkdtempSync('/run/berth-test-');
    this.rootfs = join(this.directory, 'rootfs');
    mkdirSync(this.rootfs);
    execFileSync('tar', ['-xf', busyboxRootfs(), '-C', this.rootfs]);
    this.#monitor = this.#openMonitor();
  }

  get monitor(): Monitor {
    return this.#monitor;
  }

  /** What a new life of the daemon does. */
  reopenMonitor(): void {
    this.#monitor[Symbol.dispose]();
    this.#monitor = this.#openMonitor();
  }

  async runtime(): Promise<OciRuntime> {
    if (this.#runtime) return this.#runtime;
    this.#runtime = new OciRuntime({
      sys: this.sys,
      ...(await findRuntime(process.env['BERTH_TEST_RUNTIME'])),
      root: join(this.directory, 'runtime'),
      systemdCgroups: false,
    });
    return this.#runtime;
  }

  bundle(id: string): string {
    return join(this.directory, 'c', id);
  }

  logPath(id: string): string {
    return join(this.bundle(id), 'log');
  }

  spec(id: string, wanted: BenchContainer): oci.RuntimeSpec {
    const config = emptyContainerConfig({ Hostname: 'bench', ...wanted.config });
    if (config.WorkingDir !== '') {
      using root = new RootFiles(this.rootfs, this.sys.files);
      root.ensureDirectory(config.WorkingDir);
    }
    return buildSpec({
      containerId: id,
      rootfsPath: this.rootfs,
      config,
      hostConfig: emptyHostConfig({ CgroupParent: this.#cgroupParent, ...wanted.host }),
      args: wanted.args,
      user: resolveUser(this.rootfs, config.User, wanted.groupAdd ?? [], this.sys.files),
      mounts: wanted.mounts ?? [],
      namespaces: { network: 'new', pid: 'new', ipc: 'new', uts: 'new', cgroup: 'host', ...wanted.namespaces },
      initPath: wanted.initPath,
      facts: readHostFacts(this.sys, { systemdCgroups: false }),
      devices: hostDevices,
    });
  }

  /** A created container, not started. */
  async create(wanted: BenchContainer): Promise<{ id: string; pid: number; conmonPid: number }> {
    const id = randomHex(32);
    const runtime = await this.runtime();
    const spec = runtime.prepare(this.spec(id, wanted));
    writeBundle(this.bundle(id), spec);
    const launched = await this.#monitor.launch({
      id,
      containerId: id,
      kind: 'container',
      bundleOrProcessFile: this.bundle(id),
      tty: spec.process.terminal,
      stdin: wanted.config?.OpenStdin ?? false,
      stdinOnce: wanted.config?.StdinOnce ?? false,
      logPath: this.logPath(id),
      runtimePath: runtime.path,
      runtimeArgs: [...runtime.globalArgs],
      name: 'bench',
    });
    runtime.created(id, spec);
    return { id, ...launched };
  }

  /** Runs to the end, attached. */
  async run(wanted: BenchContainer, stdin?: string): Promise<Output & { exitCode: number; id: string }> {
    const config = stdin === undefined ? wanted.config : { OpenStdin: true, StdinOnce: true, ...wanted.config };
    const { id } = await this.create({ ...wanted, ...(config ? { config } : {}) });
    await using connection = this.#monitor.attach({ directory: this.bundle(id), stdin: true });
    const output = readAll(connection);
    await (await this.runtime()).start(id);
    if (stdin !== undefined) connection.stdin.end(stdin);
    const read = await output;
    return { ...read, id, exitCode: (await this.ended(id)).exitCode };
  }

  /** Starts an exec and attaches to it. */
  async exec(
    containerId: string,
    request: Partial<ExecCreateRequest>,
    beforeStart: () => Promise<void> = () => Promise.resolve(),
  ): Promise<{ id: string; connection: AttachConnection }> {
    const id = randomHex(32);
    const spec = JSON.parse(readFileSync(join(this.bundle(containerId), 'config.json'), 'utf8')) as oci.RuntimeSpec;
    const full = { ...emptyExec, ...request };
    const process = buildExecProcess({
      container: spec.process,
      request: full,
      consoleSize: undefined,
      user: full.User === '' ? undefined : resolveUser(this.rootfs, full.User, [], this.sys.files),
      env: [],
      hostname: 'bench',
      workingDir: '',
      availableCapabilities: readHostFacts(this.sys, { systemdCgroups: false }).capabilities,
    });
    const directory = join(this.execs, id);
    const attached = Promise.withResolvers<AttachConnection>();
    const prepared = await this.prepareExec(containerId, id, full);
    await prepared.start(serializeSpec(process), () => {
      attached.resolve(this.#monitor.attach({ directory, stdin: full.AttachStdin }));
      return beforeStart();
    });
    return { id, connection: await attached.promise };
  }

  /** Where every exec has its directory, with `process.json` in it. */
  get execs(): string {
    return join(this.directory, 'e');
  }

  async prepareExec(
    containerId: string,
    id: string,
    { Tty, AttachStdin }: Pick<ExecCreateRequest, 'Tty' | 'AttachStdin'> = emptyExec,
  ): Promise<PreparedExec> {
    const runtime = await this.runtime();
    const directory = join(this.execs, id);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    return this.#monitor.prepareExec({
      id,
      containerId,
      kind: 'exec',
      bundleOrProcessFile: join(directory, 'process.json'),
      tty: Tty,
      stdin: AttachStdin,
      stdinOnce: true,
      logPath: undefined,
      runtimePath: runtime.path,
      runtimeArgs: [...runtime.globalArgs],
      name: 'bench',
    });
  }

  async ended(id: string): Promise<ProcessExit> {
    return await until(() => this.exits.find((exit) => exit.id === id), {
      what: `the end of ${id.slice(0, 12)}`,
      intervalMs: 2,
    });
  }

  /** Kills what runs; then nothing of the bench may be left in the kernel. */
  async [Symbol.asyncDispose](): Promise<void> {
    const runtime = await this.runtime();
    for (const id of runtime.list()) await runtime.delete(id, { force: true });
    await until(() => this.conmons().length === 0, { what: 'the conmons to end' });
    this.#monitor[Symbol.dispose]();
    // One folder for each controller of version 1, none in version 2.
    for (const controller of ['', ...readdirSync('/sys/fs/cgroup')]) {
      const group = join('/sys/fs/cgroup', controller, this.#cgroupParent);
      if (existsSync(group)) execFileSync('rmdir', [group]);
    }
    rmSync(this.directory, { recursive: true });
  }

  #openMonitor(): Monitor {
    const monitor = new Monitor({
      sockets: this.sys.sockets,
      processes: this.sys.processes,
      files: this.sys.files,
      conmonPath: '/usr/bin/conmon',
      directory: join(this.directory, 'm'),
      onExit: (exit) => this.exits.push(exit),
      onLost: ({ id }) => this.lost.push(id),
    });
    monitor.open();
    return monitor;
  }

  /** Process IDs of the conmons of this bench. */
  conmons(): string[] {
    return readdirSync('/proc').filter((name) => {
      if (!/^\d+$/.test(name)) return false;
      try {
        const line = readFileSync(`/proc/${name}/cmdline`, 'latin1');
        return line.includes('conmon') && line.includes(this.directory);
      } catch {
        return false;
      }
    });
  }
}

export async function readAll(connection: AttachConnection): Promise<Output> {
  const output: Output = { stdout: '', stderr: '' };
  for await (const frame of connection.output as AsyncIterable<AttachFrame>) {
    output[frame.stream] += frame.data.toString('latin1');
  }
  return output;
}

const emptyExec: ExecCreateRequest = {
  User: '',
  Privileged: false,
  Tty: false,
  AttachStdin: false,
  AttachStdout: true,
  AttachStderr: true,
  Detach: false,
  DetachKeys: '',
  Env: null,
  WorkingDir: '',
  Cmd: null,
};
