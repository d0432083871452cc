import { readFileSync } from 'node:fs';
import { arch, cpus, hostname, release, totalmem } from 'node:os';
import type { CgroupFeatures } from '#runtime';
import type { BuildCacheEntry, EventMessage } from '#spec';
import type { FsckReport } from '#store';
import type { Containers } from '../containers/containers.ts';
import { isLive } from '../containers/record.ts';
import type { ContainerRegistry } from '../containers/registry.ts';
import { hostWarnings } from './host-warnings.ts';
import type { EventBus } from '../events/event-bus.ts';
import { checkEventFilters, type EventFilters } from '../events/event-filter.ts';
import type { Images } from '../images/index.ts';
import { registryFacts, type RegistryFacts } from './registry-facts.ts';
import type { Volumes } from '../volumes/volumes.ts';

/** What this engine is and runs with. */
export interface SystemFacts {
  id: string;
  version: string;
  gitCommit: string;
  buildTime: string;
  dataRoot: string;
  defaultRuntime: string;
  /** Of containers that name none. */
  logDriver: string;
  logDrivers: readonly string[];
  runtimes: Record<string, { path: string; version: string }>;
  conmonVersion: string;
  initBinary: string;
  cgroup: CgroupFeatures;
  systemdCgroups: boolean;
  labels: string[];
  debug: boolean;
  registries: RegistryFacts;
}

export interface SystemDeps {
  facts: SystemFacts;
  registry: ContainerRegistry;
  containers: Containers;
  images: Images;
  fsckStore: () => Promise<FsckReport>;
  volumes: Volumes;
  volumeUsers: () => ReadonlyMap<string, readonly string[]>;
  volumeDrivers: () => string[];
  volumeSizeBytes: (name: string) => Promise<number>;
  events: EventBus;
  openFileDescriptors(): number;
  /** What builds keep. */
  buildCacheUsage(): Promise<readonly BuildCacheEntry[]>;
}

const goArchitectures: Record<string, string> = { x64: 'amd64', arm64: 'arm64' };

/** `version`, `info`, `events`, `system df`, `fsck`. */
export class System {
  readonly #deps: SystemDeps;

  constructor(deps: SystemDeps) {
    this.#deps = deps;
  }

  version(): {
    version: string;
    gitCommit: string;
    buildTime: string;
    kernelVersion: string;
    arch: string;
    components: { name: string; version: string; details: Record<string, string> }[];
  } {
    const { facts } = this.#deps;
    const runtimes = Object.entries(facts.runtimes).map(([name, { version }]) => ({ name, version, details: {} }));
    return {
      version: facts.version,
      gitCommit: facts.gitCommit,
      buildTime: facts.buildTime,
      kernelVersion: release(),
      arch: goArchitectures[arch()] ?? arch(),
      components: [...runtimes, { name: 'conmon', version: facts.conmonVersion, details: {} }],
    };
  }

  events(options: {
    since?: bigint | undefined;
    until?: bigint | undefined;
    filters: EventFilters;
    signal: AbortSignal;
  }): AsyncIterable<EventMessage> {
    checkEventFilters(options.filters);
    return this.#deps.events.subscribe(options);
  }

  info(): Promise<Record<string, unknown>> {
    return Promise.resolve(this.#info());
  }

  #info(): Record<string, unknown> {
    const { facts, registry, events } = this.#deps;
    const phases = registry.list().map((record) => record.phase);
    const running = phases.filter((phase) => phase.status === 'running' || phase.status === 'restarting').length;
    const paused = phases.filter((phase) => phase.status === 'paused').length;
    return {
      ID: facts.id,
      Containers: phases.length,
      ContainersRunning: running,
      ContainersPaused: paused,
      ContainersStopped: phases.length - running - paused,
      Images: this.#deps.images.count(),
      ...storageFacts(facts, this.#deps.volumeDrivers()),
      ...kernelFacts(facts),
      ...registryFacts(facts.registries),
      NFd: this.#deps.openFileDescriptors(),
      NEventsListener: events.subscriberCount,
      NGoroutines: 0,
      SystemTime: new Date().toISOString(),
      Labels: facts.labels,
      Debug: facts.debug,
      ServerVersion: facts.version,
      Name: hostname(),
    };
  }

  async diskUsage(types: readonly string[]): Promise<Record<string, unknown>> {
    const wants = (type: string): boolean => types.length === 0 || types.includes(type);
    const answer: Record<string, unknown> = {};
    if (wants('image')) {
      const { Images, LayersSize } = await this.#deps.images.diskUsage();
      Object.assign(answer, { LayersSize, Images });
    }
    if (wants('container')) {
      answer['Containers'] = await this.#deps.containers.list({ all: true, limit: 0, size: true, filters: new Map() });
    }
    if (wants('volume')) answer['Volumes'] = await this.#volumeUsage();
    if (wants('build-cache')) Object.assign(answer, await this.#buildCacheUsage());
    return answer;
  }

  async #buildCacheUsage(): Promise<{ BuildCache: readonly BuildCacheEntry[]; BuilderSize: number }> {
    const entries = await this.#deps.buildCacheUsage();
    return { BuildCache: entries, BuilderSize: entries.reduce((sum, { Size }) => sum + Size, 0) };
  }

  /** Like dockerd of local volumes only, without those that stand for something else. */
  async #volumeUsage(): Promise<unknown[]> {
    const { volumes, volumeUsers, volumeSizeBytes } = this.#deps;
    const users = volumeUsers();
    const usage: unknown[] = [];
    for (const volume of volumes.list()) {
      if (volume.driver !== 'local' || volume.options !== null) continue;
      const RefCount = users.get(volume.name)?.length ?? 0;
      usage.push({ ...volumes.toWire(volume), UsageData: { RefCount, Size: await volumeSizeBytes(volume.name) } });
    }
    return usage;
  }

  /** The store's findings, and containers whose phase the kernel contradicts. */
  async fsck(): Promise<{ problems: string[]; checked: Record<string, number> }> {
    const { registry, fsckStore } = this.#deps;
    const { problems, checked } = await fsckStore();
    const records = registry.list();
    const lost = records.flatMap((record) =>
      isLive(record.phase) && !processExists(record.phase.pid)
        ? [
            `container ${record.id} is on record as ${record.phase.status}, but its process ${record.phase.pid} does not exist`,
          ]
        : [],
    );
    return { problems: [...problems, ...lost], checked: { ...checked, containers: records.length } };
  }
}

function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function storageFacts(facts: SystemFacts, volumeDrivers: string[]): Record<string, unknown> {
  return {
    Driver: 'overlay2',
    DriverStatus: [
      ['Supports d_type', 'true'],
      ['Using metacopy', 'false'],
      ['Native Overlay Diff', 'true'],
      ['userxattr', 'false'],
    ],
    Plugins: {
      Volume: volumeDrivers,
      Network: ['bridge', 'host', 'null'],
      Authorization: null,
      Log: facts.logDrivers,
    },
    DockerRootDir: facts.dataRoot,
    LoggingDriver: facts.logDriver,
    IndexServerAddress: 'https://index.docker.io/v1/',
  };
}

function kernelFacts(facts: SystemFacts): Record<string, unknown> {
  const { cgroup } = facts;
  const forwarding = readSysctl('/proc/sys/net/ipv4/ip_forward') === '1';
  const warnings = hostWarnings(cgroup, forwarding);
  return {
    MemoryLimit: cgroup.memoryLimit,
    SwapLimit: cgroup.swapLimit,
    CpuCfsPeriod: cgroup.cpuQuota,
    CpuCfsQuota: cgroup.cpuQuota,
    CPUShares: cgroup.cpuShares,
    CPUSet: cgroup.cpuset,
    PidsLimit: cgroup.pidsLimit,
    OomKillDisable: cgroup.oomKillDisable,
    IPv4Forwarding: forwarding,
    BridgeNfIptables: false,
    BridgeNfIp6tables: false,
    CgroupDriver: facts.systemdCgroups ? 'systemd' : 'cgroupfs',
    CgroupVersion: String(cgroup.version),
    KernelVersion: release(),
    OperatingSystem: osName('PRETTY_NAME'),
    OSVersion: osName('VERSION_ID'),
    OSType: 'linux',
    Architecture: arch() === 'x64' ? 'x86_64' : 'aarch64',
    NCPU: cpus().length,
    MemTotal: totalmem(),
    GenericResources: null,
    ExperimentalBuild: false,
    Runtimes: Object.fromEntries(Object.entries(facts.runtimes).map(([name, { path }]) => [name, { path }])),
    DefaultRuntime: facts.defaultRuntime,
    Swarm: {
      NodeID: '',
      NodeAddr: '',
      LocalNodeState: 'inactive',
      ControlAvailable: false,
      Error: '',
      RemoteManagers: null,
    },
    LiveRestoreEnabled: true,
    Isolation: '',
    InitBinary: facts.initBinary,
    ContainerdCommit: { ID: '', Expected: '' },
    RuncCommit: { ID: '', Expected: '' },
    InitCommit: { ID: '', Expected: '' },
    SecurityOptions:
      cgroup.version === 2 ? ['name=seccomp,profile=builtin', 'name=cgroupns'] : ['name=seccomp,profile=builtin'],
    Warnings: warnings.length > 0 ? warnings : null,
  };
}

function readSysctl(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}

function osName(key: string): string {
  const line = readSysctl('/etc/os-release')
    .split('\n')
    .find((entry) => entry.startsWith(`${key}=`));
  return line?.slice(key.length + 1).replaceAll('"', '') ?? 'Linux';
}
