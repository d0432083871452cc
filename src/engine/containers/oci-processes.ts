import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ViewMount } from '#archive';
import { EngineError } from '#errors';
import type { Logger } from '#lib';
import {
  readLogs,
  releaseLeftExecs,
  type AttachConnection,
  type LogLine,
  type Monitor,
  type PreparedExec,
  type ReadLogsOptions,
} from '#monitor';
import {
  buildExecProcess,
  buildHostnameFile,
  buildHostsFile,
  editHostsFile,
  buildResolvConf,
  buildResources,
  buildSpec,
  cgroupDirectory,
  cgroupsPath,
  GroupMoves,
  checkWorkingDirectory,
  hostDevices,
  type OciRuntime,
  resolveUser,
  RootFiles,
  setFrozen,
  writeBundle,
  serializeSpec,
  type HostFacts,
  type SpecMount,
} from '#runtime';
import { RESOLVER_ADDRESS, usesResolver } from '#net';
import type { ExecCreateRequest, ExecId, HostConfig, oci } from '#spec';
import type { CgroupLayout, CgroupPaths, Sys } from '#sys';
import type { ExecProcesses, ExecProcessRequest, PreparableExec } from '../exec/execs.ts';
import { type PreparedFor, PreparedExecs } from '../exec/prepared-execs.ts';
import type { FileProcesses } from '../files/container-files.ts';
import { ContainerLogs } from './container-logs.ts';
import type { ContainerDirectories } from './directories.ts';
import { notRunning } from './errors.ts';
import { readHostHosts, readHostResolvConf } from './host-files.ts';
import { chooseNamespaces } from './namespaces.ts';
import type { ContainerProcesses, CreatedProcess } from './processes.ts';
import type { MountSources } from './mount-sources.ts';
import { isLive, type ContainerRecord, type Sandbox } from './record.ts';
import { SharedMemory } from './shared-memory.ts';

export interface OciProcessesOptions {
  logger: Logger;
  sys: Sys;
  monitor: Monitor;
  runtimes: ReadonlyMap<string, OciRuntime>;
  facts: HostFacts;
  directories: ContainerDirectories;
  mountSources: MountSources;
  /** An init program for `--init`; undefined when the host has none. */
  initPath: string | undefined;
  /** Whether containers get an init unless they say otherwise. */
  initByDefault: boolean;
  dns: { servers: string[]; search: string[]; options: string[] };
  /** What `host-gateway` means. */
  hostGateway(): string[];
  find: (ref: string) => ContainerRecord;
}

/** Beside a container's resolv.conf: what we wrote there, by its digest. */
const resolvConfDigest = 'resolv.conf.sha256';

/** In an exec's directory: what tells the runtime what to run. */
const processFile = 'process.json';
/** conmon makes it in the bundle when the kernel killed for memory. */
const OOM_FILE = 'oom';

/** Containers' and execs' processes through an OCI runtime under conmon. */
export class OciProcesses implements ContainerProcesses, ExecProcesses, FileProcesses {
  readonly #options: OciProcessesOptions;
  readonly #layout: CgroupLayout;
  readonly #logs: ContainerLogs;
  readonly #groupMoves: GroupMoves;
  readonly #prepared = new PreparedExecs((id) => void this.cleanupExec(id));
  readonly #sharedMemory: SharedMemory;
  /** By container: what its bundle says of its control group. */
  readonly #cgroups = new Map<string, string>();

  constructor(options: OciProcessesOptions) {
    this.#options = options;
    this.#layout = options.sys.cgroups.detect();
    this.#groupMoves = new GroupMoves(options.sys.cgroups);
    const { logger, directories, sys } = options;
    this.#logs = new ContainerLogs({ logger, directories, host: sys });
    this.#sharedMemory = new SharedMemory(options.sys.mounts, options.directories, options.find);
  }

  expect(): void {
    this.#groupMoves.expect();
  }

  async create(record: ContainerRecord, sandbox: Sandbox, rootfs: string): Promise<CreatedProcess> {
    const { sys, monitor, directories } = this.#options;
    const runtime = this.#runtime(record);
    this.#logs.check(record);
    this.#writeNetworkFiles(record, sandbox);
    const namespaces = chooseNamespaces(record, sandbox, this.#options.find);
    const mounts = await this.#prepareMounts(record, rootfs);
    const user = resolveUser(rootfs, record.config.User, record.hostConfig.GroupAdd ?? [], sys.files);
    if (checkWorkingDirectory(record.config.WorkingDir) !== '/') {
      using root = new RootFiles(rootfs, sys.files);
      root.ensureDirectory(record.config.WorkingDir);
    }
    const built = buildSpec({
      containerId: record.id,
      rootfsPath: rootfs,
      config: record.config,
      hostConfig: record.hostConfig,
      args: [record.path, ...record.args],
      user,
      mounts,
      namespaces,
      initPath: this.#initFor(record),
      facts: this.#options.facts,
      devices: hostDevices,
    });
    const spec = runtime.prepare(built);
    const bundle = directories.bundle(record.id);
    writeBundle(bundle, spec);
    const { pid } = await monitor.launch({
      id: record.id,
      containerId: record.id,
      kind: 'container',
      bundleOrProcessFile: bundle,
      tty: record.config.Tty,
      stdin: record.config.OpenStdin,
      stdinOnce: record.config.StdinOnce,
      logPath: record.hostConfig.LogConfig.Type === 'none' ? undefined : directories.log(record.id),
      runtimePath: runtime.launchPath,
      runtimeArgs: [...runtime.globalArgs],
      name: record.name,
    });
    runtime.created(record.id, spec);
    this.watchLog(record);
    return { pid, startTicks: this.#startTicks(pid) };
  }

  #runtime(record: ContainerRecord): OciRuntime {
    const name = record.hostConfig.Runtime ?? '';
    const runtime = this.#options.runtimes.get(name);
    if (!runtime) {
      throw new EngineError('invalidArgument', 'UNKNOWN_RUNTIME', `unknown or invalid runtime name: ${name}`);
    }
    return runtime;
  }

  #initFor(record: ContainerRecord): string | undefined {
    if (!(record.hostConfig.Init ?? this.#options.initByDefault)) return undefined;
    if (this.#options.initPath === undefined) {
      throw new EngineError(
        'unavailable',
        'NO_INIT',
        'no init program found for --init: install tini or catatonit, or set --init-path',
      );
    }
    return this.#options.initPath;
  }

  #writeNetworkFiles(record: ContainerRecord, sandbox: Sandbox): void {
    if (sandbox.containerId !== record.id) return;
    const { directories } = this.#options;
    const { config, hostConfig: host } = record;
    const directory = directories.data(record.id);
    const onHost = host.NetworkMode === 'host';
    const write = (name: string, text: string): void => writeFileSync(join(directory, name), text, { mode: 0o644 });
    write('hostname', buildHostnameFile(config.Hostname));
    write(
      'hosts',
      buildHostsFile({
        base: onHost ? readHostHosts() : undefined,
        hostname: config.Hostname,
        domainname: config.Domainname,
        addresses: sandbox.endpoints.map(({ address }) => address),
        extraHosts: host.ExtraHosts ?? [],
        hostGateway: this.#options.hostGateway(),
      }),
    );
    write('resolv.conf', this.#resolvConf(record, sandbox));
    write(resolvConfDigest, digestOf(join(directory, 'resolv.conf')));
  }

  #resolvConf({ hostConfig: host }: ContainerRecord, { endpoints }: Sandbox): string {
    const { dns } = this.#options;
    const onHost = host.NetworkMode === 'host';
    const own = (given: string[] | null, fallback: string[]): string[] =>
      given && given.length > 0 ? given : fallback;
    return buildResolvConf({
      host: readHostResolvConf({ stub: usesResolver(endpoints) }),
      onHostNetwork: onHost,
      ipv6: onHost,
      resolver: usesResolver(endpoints) ? RESOLVER_ADDRESS : undefined,
      dns: own(host.Dns, dns.servers),
      dnsSearch: own(host.DnsSearch, dns.search),
      dnsOptions: own(host.DnsOptions, dns.options),
    });
  }

  /** A running container got an address or lost one. Files are written in place: it has these very ones mounted. */
  editNetworkFiles(record: ContainerRecord, change: { added?: string; removed?: string }): void {
    const directory = this.#options.directories.data(record.id);
    const hosts = join(directory, 'hosts');
    const { Hostname: hostname, Domainname: domainname } = record.config;
    writeFileSync(hosts, editHostsFile(readFileSync(hosts, 'utf8'), change, { hostname, domainname }));
    if (record.sandbox !== undefined) this.#editResolvConf(record, record.sandbox, directory);
  }

  /** The first network of a user brings the resolver, which stays. A file that the container changed is left alone. */
  #editResolvConf(record: ContainerRecord, sandbox: Sandbox, directory: string): void {
    const path = join(directory, 'resolv.conf');
    const written = join(directory, resolvConfDigest);
    if (!usesResolver(sandbox.endpoints) || !existsSync(written)) return;
    if (readFileSync(written, 'utf8') !== digestOf(path)) return;
    writeFileSync(path, this.#resolvConf(record, sandbox));
    writeFileSync(written, digestOf(path));
  }

  async #prepareMounts(record: ContainerRecord, rootfs: string): Promise<SpecMount[]> {
    const planned = await this.#options.mountSources.prepare(record, rootfs);
    return [...this.#sharedMemory.prepare(record), ...this.#networkFileMounts(record, planned), ...planned];
  }

  openMountNamespace(record: ContainerRecord): number {
    if (!isLive(record.phase)) throw notRunning(record.id);
    const fd = openSync(`/proc/${record.phase.pid}/ns/mnt`, 'r');
    // Asked when the file is open: from then on a process that takes over the ID does no harm.
    if (this.isAlive(record.phase)) return fd;
    closeSync(fd);
    throw notRunning(record.id);
  }

  async viewMounts(record: ContainerRecord, rootfs: string): Promise<ViewMount[]> {
    const prepared = await this.#prepareMounts(record, rootfs);
    // What a run keeps in memory is not there without one.
    const mounts = prepared.filter(({ type, source }) => type === 'bind' && existsSync(source));
    using root = new RootFiles(rootfs, this.#options.sys.files);
    for (const { source, destination } of mounts) {
      if (statSync(source).isDirectory()) root.ensureDirectory(destination);
    }
    return mounts.map(({ source, destination, readOnly }) => ({ source, destination, readOnly }));
  }

  releaseView(record: ContainerRecord): Promise<void> {
    return this.#options.mountSources.release(record.id);
  }

  resolveUser(record: ContainerRecord, rootfs: string): { uid: number; gid: number } {
    return resolveUser(rootfs, record.config.User, [], this.#options.sys.files);
  }

  #networkFileMounts(record: ContainerRecord, planned: readonly SpecMount[]): SpecMount[] {
    const { directories, find } = this.#options;
    const mode = record.hostConfig.NetworkMode;
    const owner = mode.startsWith('container:') ? find(mode.slice('container:'.length)).id : record.id;
    const taken = new Set(planned.map((mount) => mount.destination));
    return ['resolv.conf', 'hostname', 'hosts']
      .map((name) => ({ name, destination: `/etc/${name}` }))
      .filter(({ destination }) => !taken.has(destination))
      .map(({ name, destination }) => ({
        type: 'bind' as const,
        source: join(directories.data(owner), name),
        destination,
        readOnly: record.hostConfig.ReadonlyRootfs,
        readOnlyNonRecursive: true,
        propagation: 'rprivate',
        recursive: true,
        tmpfsOptions: [],
      }));
  }

  /** Takes the log of a container that runs already into care, after a restart of ours. */
  watchLog(record: ContainerRecord): void {
    this.#logs.watch(record);
  }

  async completeLog(record: ContainerRecord): Promise<void> {
    await this.#logs.complete(record);
  }

  async forgetLog(id: string): Promise<void> {
    await this.#logs.forget(id);
  }

  async start(record: ContainerRecord): Promise<void> {
    await this.#runtime(record).start(record.id);
  }

  signal(process: CreatedProcess, signal: number): boolean {
    if (!this.isAlive(process)) return false;
    try {
      this.#options.sys.processes.kill(process.pid, signal);
      return true;
    } catch {
      return false;
    }
  }

  isAlive(process: CreatedProcess): boolean {
    const stat = this.#options.sys.processes.readProcessStat(process.pid);
    return (
      stat !== undefined && String(stat.startTicks) === process.startTicks && stat.state !== 'Z' && stat.state !== 'X'
    );
  }

  async pause(record: ContainerRecord): Promise<void> {
    if (isLive(record.phase)) await setFrozen(this.#options.sys.cgroups, this.cgroup(record), true);
  }

  async resume(record: ContainerRecord): Promise<void> {
    if (isLive(record.phase)) await setFrozen(this.#options.sys.cgroups, this.cgroup(record), false);
  }

  async update(record: ContainerRecord, changes: HostConfig): Promise<void> {
    const resources = buildResources(changes, this.#options.facts.cgroup, (path) => hostDevices.lookup(path));
    if (Object.keys(resources).length > 0) await this.#runtime(record).update(record.id, resources);
    if (changes.PidsLimit === 0) this.#options.sys.cgroups.liftPidsLimit(this.cgroup(record));
  }

  /** The directories of a container's control group. */
  cgroup(record: ContainerRecord): CgroupPaths {
    const { id, hostConfig } = record;
    const { sys, facts } = this.#options;
    const path = this.#bundledCgroup(id) ?? cgroupsPath({ containerId: id, hostConfig, facts });
    return sys.cgroups.paths(this.#layout, cgroupDirectory(path));
  }

  /** Where the container was put when it was started: perhaps by a daemon with the other driver. */
  #bundledCgroup(id: string): string | undefined {
    const known = this.#cgroups.get(id);
    if (known !== undefined) return known;
    const path = join(this.#options.directories.bundle(id), 'config.json');
    if (!existsSync(path)) return undefined;
    const spec: oci.RuntimeSpec = JSON.parse(readFileSync(path, 'utf8'));
    this.#cgroups.set(id, spec.linux.cgroupsPath);
    return spec.linux.cgroupsPath;
  }

  wasOomKilled(record: ContainerRecord): boolean {
    const { sys, directories } = this.#options;
    const { memory } = sys.cgroups.readStats(this.cgroup(record));
    if (memory?.oomKills !== undefined) return memory.oomKills > 0;
    // systemd removes the group with its last process; conmon saw it and left a file.
    return existsSync(join(directories.bundle(record.id), OOM_FILE));
  }

  async cleanup(id: string): Promise<void> {
    const { runtimes, monitor, directories } = this.#options;
    this.#cgroups.delete(id);
    await this.#logs.finish(id);
    for (const runtime of new Set(runtimes.values())) await runtime.delete(id, { force: true });
    monitor.acknowledge('container', id);
    directories.removeBundle(id);
    this.#sharedMemory.release(id);
    await this.#options.mountSources.release(id);
  }

  attach(id: string, withStdin: boolean): Promise<AttachConnection> {
    const { monitor, directories } = this.#options;
    return Promise.resolve(monitor.attach({ directory: directories.bundle(id), stdin: withStdin }));
  }

  async resize(id: string, size: { height: number; width: number }): Promise<void> {
    const { monitor, directories } = this.#options;
    await monitor.resize(existsSync(directories.exec(id)) ? directories.exec(id) : directories.bundle(id), size);
  }

  shownLogPath(record: ContainerRecord): string {
    const path = this.#options.directories.jsonLog(record.id);
    return record.hostConfig.LogConfig.Type === 'json-file' && existsSync(path) ? path : '';
  }

  readLogs(id: string, options: ReadLogsOptions): AsyncIterable<LogLine> {
    return readLogs(this.#options.directories.log(id), options);
  }

  prepare(container: ContainerRecord, exec: PreparableExec, options: { spare: boolean } = { spare: false }): void {
    const purpose = purposeOf(container, exec.request);
    if (purpose) this.#prepared.add(exec.id, purpose, options, () => this.#prepareExec(container, exec));
  }

  reserve(container: ContainerRecord, request: ExecCreateRequest): ExecId | undefined {
    const purpose = purposeOf(container, request);
    return purpose && this.#prepared.reserve(purpose);
  }

  #prepareExec(container: ContainerRecord, { id, request }: PreparableExec): PreparedExec {
    const { monitor, directories } = this.#options;
    const runtime = this.#runtime(container);
    directories.createExec(id);
    return monitor.prepareExec({
      id,
      containerId: container.id,
      kind: 'exec',
      bundleOrProcessFile: join(directories.exec(id), processFile),
      tty: request.Tty,
      stdin: request.AttachStdin,
      stdinOnce: true,
      logPath: undefined,
      runtimePath: runtime.launchPath,
      runtimeArgs: [...runtime.globalArgs],
      name: `${container.name}-exec`,
    });
  }

  withdrawExecs(containerId: string): void {
    this.#prepared.withdrawOf(containerId);
  }

  /** Ends the execs that the last daemon prepared and did not start. */
  endLeftExecs(): void {
    const { directories } = this.#options;
    for (const id of releaseLeftExecs(directories.execs, processFile)) directories.removeExec(id);
  }

  async launch(
    container: ContainerRecord,
    exec: ExecProcessRequest,
    beforeStart: (attach: () => Promise<AttachConnection>) => Promise<void>,
  ): Promise<CreatedProcess> {
    const { sys, monitor, directories, facts } = this.#options;
    const { request } = exec;
    if (!isLive(container.phase))
      throw new EngineError('conflict', 'CONTAINER_NOT_RUNNING', `container ${container.id} is not running`);
    const { pid: containerPid } = container.phase;
    const root = `/proc/${containerPid}/root`;
    const process = buildExecProcess({
      container: this.#readProcess(container),
      request,
      consoleSize: exec.consoleSize,
      user:
        request.User === ''
          ? undefined
          : resolveUser(root, request.User, container.hostConfig.GroupAdd ?? [], sys.files),
      env: container.config.Env ?? [],
      hostname: container.config.Hostname,
      workingDir: container.config.WorkingDir,
      availableCapabilities: facts.capabilities,
    });
    const prepared = this.#prepared.take(exec.id, containerPid) ?? this.#prepareExec(container, exec);
    const directory = directories.exec(exec.id);
    if (exec.probe) directories.markProbe(exec.id);
    const attach = (): Promise<AttachConnection> =>
      Promise.resolve(monitor.attach({ directory, stdin: request.AttachStdin }));
    const { pid } = await prepared.start(serializeSpec(process), () => beforeStart(attach));
    return { pid, startTicks: this.#startTicks(pid) };
  }

  #startTicks(pid: number): string {
    return String(this.#options.sys.processes.readProcessStat(pid)?.startTicks ?? '');
  }

  /** Kills the health checks of a daemon that is no more: nobody waits for them or ends them in time. */
  killLeftProbes(): void {
    const { sys, directories } = this.#options;
    for (const { id, pid } of directories.leftProbes()) {
      if (isExecOf(pid, id)) sys.processes.kill(pid, 9);
    }
  }

  /** The container's process as its bundle has it. We wrote that file. */
  #readProcess(container: ContainerRecord): oci.RuntimeProcess {
    const path = join(this.#options.directories.bundle(container.id), 'config.json');
    const spec: oci.RuntimeSpec = JSON.parse(readFileSync(path, 'utf8'));
    return spec.process;
  }

  /** Ends the care for logs and what was only prepared; containers run on. */
  async close(): Promise<void> {
    await this.#prepared.close();
    await this.#logs.close();
  }

  cleanupExec(id: ExecId): Promise<void> {
    this.#options.monitor.acknowledge('exec', id);
    this.#options.directories.removeExec(id);
    return Promise.resolve();
  }
}

function purposeOf({ id, phase }: ContainerRecord, request: ExecCreateRequest): PreparedFor | undefined {
  return isLive(phase) ? { containerId: id, pid: phase.pid, request } : undefined;
}

function digestOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/** Whether a process is the child of the conmon that was started for this exec: its ID may have been used again. */
function isExecOf(pid: number, execId: string): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const parent = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1];
    return readFileSync(`/proc/${parent}/cmdline`, 'latin1').includes(`--cuuid=${execId}`);
  } catch {
    return false;
  }
}
