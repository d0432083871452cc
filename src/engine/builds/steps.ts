import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { EngineError } from '#errors';
import type { Logger } from '#lib';
import { type NetworkCatalog, type Networks, noSuchNetwork, type Sandbox, type SandboxRequest } from '#net';
import {
  buildHostnameFile,
  buildHostsFile,
  buildResolvConf,
  buildSpec,
  checkWorkingDirectory,
  cgroupDirectory,
  cgroupsPath,
  GroupMoves,
  type HostFacts,
  hostDevices,
  networkSysctls,
  type OciRuntime,
  resolveUser,
  RootFiles,
  writeBundle,
} from '#runtime';
import { runtimeMessage } from '#spec';
import type { CgroupLayout, CgroupPaths, Sys, WaitStatus } from '#sys';
import { readHostHosts, readHostResolvConf } from '../containers/host-files.ts';
import type { ContainerRecord } from '../containers/record.ts';
import { isLive } from '../containers/record.ts';
import { toStartFailure } from '../containers/start-error.ts';
import type { Step } from './step.ts';
import { runProgram } from './step-process.ts';
import { checkDevices, hostnameOf, networkFileMounts, stepConfig } from './step-spec.ts';

export interface BuildStepsOptions {
  logger: Logger;
  sys: Sys;
  runtime: OciRuntime;
  facts: HostFacts;
  networks: Networks & NetworkCatalog;
  /** Folder in memory that is the steps' own. */
  directory: string;
  dns: { servers: string[]; search: string[]; options: string[] };
  /** What `host-gateway` means. */
  hostGateway: () => string[];
  /** @throws notFound. */
  findContainer: (ref: string) => ContainerRecord;
}

const runtimeLog = 'runtime.log';
const SIGNAL_BASE = 128;
/** Killed processes are gone in milliseconds, unless a disk holds them. */
const CLEAR_TRIES = 500;
const CLEAR_PERIOD_MS = 10;

/**
 * Runs the steps of builds: the runtime in the foreground with plain pipes, without a monitor, since a step does not outlive this process.
 *
 * ```
 * <directory>/<step id>/   config.json, the files of /etc for its network, what the runtime complained of
 * ```
 *
 * The folder is made first and removed last; whatever a kill leaves behind is found by its name.
 */
export class BuildSteps {
  readonly #options: BuildStepsOptions;
  readonly #layout: CgroupLayout;
  readonly #groupMoves: GroupMoves;

  constructor(options: BuildStepsOptions) {
    this.#options = options;
    this.#layout = options.sys.cgroups.detect();
    this.#groupMoves = new GroupMoves(options.sys.cgroups);
    mkdirSync(options.directory, { recursive: true, mode: 0o700 });
  }

  /**
   * Resolves with the exit code (128 and the signal's number for a killed process) when nothing of the step is left in the kernel.
   *
   * @throws invalidArgument and the like when the process cannot be started; the signal's reason when it was aborted.
   */
  async run(step: Step): Promise<number> {
    const { signal } = step;
    signal.throwIfAborted();
    checkDevices(step);
    this.#groupMoves.expect();
    const directory = join(this.#options.directory, step.id);
    await using undo = new AsyncDisposableStack();
    mkdirSync(directory, { mode: 0o700 });
    undo.defer(() => rmSync(directory, { recursive: true, force: true }));
    undo.defer(() => this.#options.networks.remove(step.id));
    const sandbox = await this.#sandbox(step);
    this.#writeNetworkFiles(step, sandbox, directory);
    const cgroup = this.#prepare(step, sandbox, directory);
    undo.defer(() => this.#clear(step.id, cgroup));
    const status = await this.#execute(step, cgroup, directory);
    signal.throwIfAborted();
    return this.#exitCode(step, status, directory);
  }

  /** Removes what steps of a killed daemon left in the kernel. Their layers go with those of half-made containers. */
  async recover(): Promise<void> {
    const { directory, logger, networks } = this.#options;
    for (const id of readdirSync(directory)) {
      logger.info('removing what is left of a build step', { step: id });
      const path = join(directory, id);
      this.#killRuntimes(path);
      await this.#clear(id, this.#cgroupOf(path));
      await networks.remove(id);
      rmSync(path, { recursive: true, force: true });
    }
  }

  async #sandbox(step: Step): Promise<Sandbox> {
    const { networks } = this.#options;
    const { network, id } = step;
    if (network.startsWith('container:')) return this.#joined(network.slice('container:'.length));
    const name = network === '' || network === 'default' ? 'bridge' : network;
    const found = networks.find(name);
    if (!found) throw noSuchNetwork(name);
    const request: SandboxRequest = {
      containerId: id,
      mode: found.driver === 'host' ? 'host' : 'own',
      endpoints: found.driver === 'bridge' ? [{ networkId: found.id }] : [],
      sysctls: networkSysctls(stepConfig(step, this.#options.facts.cgroup).hostConfig),
    };
    return await networks.create(request);
  }

  #joined(ref: string): Sandbox {
    const { id, phase, sandbox } = this.#options.findContainer(ref);
    if (isLive(phase)) {
      return { containerId: id, netnsPath: sandbox?.netnsPath ?? `/proc/${phase.pid}/ns/net`, endpoints: [] };
    }
    throw new EngineError(
      'conflict',
      'JOINED_CONTAINER_NOT_RUNNING',
      `cannot join network namespace of a non running container: ${id}`,
    );
  }

  #writeNetworkFiles(step: Step, sandbox: Sandbox, directory: string): void {
    const { dns, hostGateway } = this.#options;
    const onHost = sandbox.netnsPath === undefined;
    const hostname = hostnameOf(step);
    const write = (name: string, text: string): void => writeFileSync(join(directory, name), text, { mode: 0o644 });
    write('hostname', buildHostnameFile(hostname));
    write(
      'hosts',
      buildHostsFile({
        base: onHost ? readHostHosts() : undefined,
        hostname,
        domainname: '',
        addresses: sandbox.endpoints.map(({ address }) => address),
        extraHosts: step.limits.extraHosts,
        hostGateway: hostGateway(),
      }),
    );
    write(
      'resolv.conf',
      buildResolvConf({
        host: readHostResolvConf(),
        onHostNetwork: onHost,
        ipv6: onHost,
        dns: dns.servers,
        dnsSearch: dns.search,
        dnsOptions: dns.options,
      }),
    );
  }

  /** Writes the bundle; answers where the step's control group will be. */
  #prepare(step: Step, sandbox: Sandbox, directory: string): CgroupPaths {
    const { sys, facts, runtime } = this.#options;
    const { rootfs, id } = step;
    const config = stepConfig(step, facts.cgroup);
    if (checkWorkingDirectory(step.workingDir) !== '/') {
      using root = new RootFiles(rootfs, sys.files);
      root.ensureDirectory(step.workingDir);
    }
    const spec = buildSpec({
      ...config,
      containerId: id,
      rootfsPath: rootfs,
      user: resolveUser(rootfs, step.user, [], sys.files),
      mounts: [...networkFileMounts(directory), ...step.mounts],
      namespaces: {
        network: sandbox.netnsPath === undefined ? 'host' : { path: sandbox.netnsPath },
        pid: 'new',
        ipc: 'new',
        uts: 'new',
        cgroup: config.hostConfig.CgroupnsMode === 'private' ? 'new' : 'host',
      },
      initPath: undefined,
      facts,
      devices: hostDevices,
    });
    writeBundle(directory, runtime.prepare(spec));
    const path = cgroupsPath({ containerId: id, hostConfig: config.hostConfig, facts });
    writeFileSync(join(directory, 'cgroup'), path);
    return sys.cgroups.paths(this.#layout, cgroupDirectory(path));
  }

  async #execute(step: Step, cgroup: CgroupPaths, directory: string): Promise<WaitStatus | undefined> {
    const { runtime, sys } = this.#options;
    const { output, signal } = step;
    const log = `--log=${join(directory, runtimeLog)}`;
    const args = [...runtime.globalArgs, log, 'run', `--bundle=${directory}`, step.id];
    return await runProgram({ path: runtime.launchPath, args, cgroup, output, signal }, sys);
  }

  #exitCode(step: Step, status: WaitStatus | undefined, directory: string): number {
    const complaint = readIfThere(join(directory, runtimeLog));
    const exitCode = status === undefined ? -1 : 'signal' in status ? SIGNAL_BASE + status.signal : status.exitCode;
    // The runtime complains only when there was no process.
    if (exitCode === 0 || complaint.trim() === '') return exitCode;
    const [command = ''] = step.args;
    throw toStartFailure(new EngineError('internal', 'STEP_START', runtimeMessage(complaint)), command).error;
  }

  async #clear(id: string, cgroup: CgroupPaths | undefined): Promise<void> {
    const { runtime, sys } = this.#options;
    await runtime.delete(id, { force: true });
    if (cgroup === undefined) return;
    for (let tries = 0; tries < CLEAR_TRIES && sys.cgroups.killAll(cgroup) > 0; tries++) await delay(CLEAR_PERIOD_MS);
    sys.cgroups.remove(cgroup);
  }

  #cgroupOf(directory: string): CgroupPaths | undefined {
    const path = readIfThere(join(directory, 'cgroup'));
    return path === '' ? undefined : this.#options.sys.cgroups.paths(this.#layout, cgroupDirectory(path));
  }

  /** Runtimes that are just starting a step of a killed daemon. */
  #killRuntimes(directory: string): void {
    const { processes } = this.#options.sys;
    for (const pid of processes.listProcesses()) {
      if (processes.readCommandLine(pid)?.includes(`--bundle=${directory}`)) processes.kill(pid, 9);
    }
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
