import { isKind } from '#errors';
import { failpoint, type Logger } from '#lib';
import { Monitor, type ProcessExit } from '#monitor';
import type { NetworkCatalog, Networks } from '#net';
import { defaultMaskedPaths, defaultReadonlyPaths, type HostFacts, type OciRuntime } from '#runtime';
import type { BuildCacheEntry, LogConfig } from '#spec';
import type { Database, Migration, Store, StoredImage } from '#store';
import type { Sys } from '#sys';
import { BuildImages } from './builds/build-images.ts';
import { BuildSteps } from './builds/steps.ts';
import { toReading } from './containers/cgroup-reading.ts';
import { Committer } from './containers/commit.ts';
import { Containers } from './containers/containers.ts';
import { Creator } from './containers/create.ts';
import { ContainerDirectories } from './containers/directories.ts';
import { Lifecycle } from './containers/lifecycle.ts';
import { MountSources } from './containers/mount-sources.ts';
import { OciProcesses } from './containers/oci-processes.ts';
import { isLive } from './containers/record.ts';
import { recoverContainers } from './containers/recovery.ts';
import { ContainerRegistry } from './containers/registry.ts';
import { Remover } from './containers/remover.ts';
import { containerMigrations, ContainerRepository } from './containers/repository.ts';
import { StatsReader } from './containers/stats.ts';
import { containerChanges, exportContainer } from './containers/trees.ts';
import { Updater } from './containers/update.ts';
import { EventBus } from './events/event-bus.ts';
import { Execs } from './exec/execs.ts';
import { ContainerFiles } from './files/container-files.ts';
import { HealthChecks } from './health/health-checks.ts';
import { type EmitImageEvent, type Images, openImages } from './images/index.ts';
import { transferMigrations } from './images/push/blob-sources.ts';
import { networkMigrations } from './networks/network-store.ts';
import { NetworkAttachments } from './networks/network-attachments.ts';
import { NetworkOperations } from './networks/network-operations.ts';
import { Registries, type RegistriesOptions } from './registries/registries.ts';
import { System, type SystemFacts } from './system/system.ts';
import { pluginDirectories } from './volumes/plugins/discovery.ts';
import { PluginDrivers } from './volumes/plugins/plugin-drivers.ts';
import { treeSizeBytes, usersOfVolumes } from './volumes/volume-usage.ts';
import { VolumeViews } from './volumes/volume-views.ts';
import { volumeMigrations } from './volumes/volume-rows.ts';
import { Volumes } from './volumes/volumes.ts';

/** The engine's tables, after the store's. */
export const engineMigrations: readonly Migration[] = [
  ...containerMigrations,
  ...volumeMigrations,
  ...transferMigrations,
  ...networkMigrations,
];

export interface EngineOptions {
  logger: Logger;
  sys: Sys;
  db: Database;
  store: Store;
  networks: Networks & NetworkCatalog;
  runtimes: ReadonlyMap<string, OciRuntime>;
  conmonPath: string;
  hostFacts: HostFacts;
  dataRoot: string;
  execRoot: string;
  initPath: string | undefined;
  initByDefault: boolean;
  /** The log driver of containers that name none, and its options. */
  log: LogConfig;
  dns: { servers: string[]; search: string[]; options: string[] };
  /** See {@link Creator}. */
  publicPortWarning?: { hostBinding: string } | undefined;
  registries: Pick<RegistriesOptions, 'client' | 'maxConcurrentDownloads' | 'maxConcurrentUploads'>;
  facts: Omit<SystemFacts, 'initBinary' | 'cgroup' | 'systemdCgroups'>;
  openFileDescriptors: () => number;
  /** What builds keep, for `system df`. */
  buildCacheUsage: () => Promise<readonly BuildCacheEntry[]>;
}

/** Containers, images, execs, events: every use case, wired. Open once per data root. */
export class Engine {
  readonly containers: Containers;
  readonly execs: Execs;
  readonly files: ContainerFiles;
  readonly images: Images;
  readonly registries: Registries;
  readonly committer: Committer;
  /** What builds need of this engine. */
  readonly buildSteps: BuildSteps;
  readonly buildImages: BuildImages;
  readonly networks: NetworkOperations;
  readonly volumeViews: VolumeViews;
  readonly system: System;
  readonly #events: EventBus;
  readonly #remover: Remover;
  readonly #processes: OciProcesses;
  readonly #monitor: Monitor;
  readonly #health: HealthChecks;
  readonly #recover: () => Promise<void>;

  /** Opens the engine and brings kernel, disk and database to agree. */
  static async open(options: EngineOptions): Promise<Engine> {
    const engine = new Engine(options);
    await engine.#recover();
    return engine;
  }

  private constructor(options: EngineOptions) {
    const { logger, sys, db, store, networks, runtimes } = options;
    const layers = store.containerLayers;
    const events = new EventBus();
    const directories = new ContainerDirectories(options.dataRoot, options.execRoot);
    const plugins = new PluginDrivers(pluginDirectories(options.execRoot), logger);
    const volumes = new Volumes({
      root: `${options.dataRoot}/volumes`,
      db,
      mounts: sys.mounts,
      plugins,
      events,
      logger,
    });
    const registry = new ContainerRegistry(new ContainerRepository(db));
    const volumeUsers = (): Map<string, string[]> => usersOfVolumes(registry.list());
    const volumeSizeBytes = (name: string): Promise<number> => treeSizeBytes(sys, volumes.path(name));

    const emitImage: EmitImageEvent = (action, id, attributes) => events.publish('image', action, id, attributes);
    const images = openImages({
      store,
      emit: emitImage,
      containersUsing: (imageId) =>
        registry
          .list()
          .filter((record) => record.imageId === imageId)
          .map((record) => ({ id: record.id, running: isLive(record.phase) })),
    });

    const earlyExits: ProcessExit[] = [];
    let deliver = (exit: ProcessExit): void => void earlyExits.push(exit);
    const monitor = new Monitor({
      sockets: sys.sockets,
      processes: sys.processes,
      files: sys.files,
      conmonPath: options.conmonPath,
      directory: `${options.execRoot}/monitor`,
      onExit: (exit) => deliver(exit),
      onLost: (process) => deliver({ ...process, exitCode: 137, finishedAt: BigInt(Date.now()) * 1_000_000n }),
    });
    const hostGateway = (): string[] =>
      networks.list().flatMap(({ predefined, blocks }) => (predefined ? blocks.map(({ gateway }) => gateway) : []));
    const processes = new OciProcesses({
      logger,
      sys,
      monitor,
      runtimes,
      facts: options.hostFacts,
      directories,
      mountSources: new MountSources({ sys, volumes, layers, directories, kernel: options.hostFacts.kernel }),
      initPath: options.initPath,
      initByDefault: options.initByDefault,
      dns: options.dns,
      hostGateway,
      find: (ref) => registry.get(ref),
    });

    const remover = new Remover({
      registry,
      processes,
      layers,
      networks,
      volumes,
      directories,
      events,
      logger,
      failpoint,
    });
    const execs = new Execs({ registry, processes, events, logger });
    const health = new HealthChecks({ registry, probes: execs, events, logger });
    const lifecycle = new Lifecycle({
      registry,
      processes,
      layers,
      networks,
      events,
      logger,
      defaultRuntime: options.facts.defaultRuntime,
      failpoint,
      runChanged: (record) => health.update(record),
      autoRemove: (record) => remover.bury(record, { volumes: true }),
    });
    const creator = new Creator({
      registry,
      layers,
      volumes,
      directories,
      events,
      defaults: {
        features: options.hostFacts.cgroup,
        systemdCgroups: options.hostFacts.systemdCgroups,
        capabilities: options.hostFacts.capabilities,
        runtimes: [...runtimes.keys()],
        log: options.log,
        maskedPaths: defaultMaskedPaths,
        readonlyPaths: defaultReadonlyPaths,
      },
      findNetwork: (ref) => networks.find(ref),
      publicPortWarning: options.publicPortWarning,
      resolveImage: (ref, platform) => images.resolve(ref, platform),
      failpoint,
    });
    const stats = new StatsReader({
      registry,
      networks,
      readCgroup: (record) => toReading(sys.cgroups.readStats(processes.cgroup(record))),
      cgroupPids: (record) => sys.cgroups.listProcesses(processes.cgroup(record)),
      readSystemCpu: () => sys.cgroups.readSystemCpu(),
    });
    const updater = new Updater({ registry, processes, events, features: options.hostFacts.cgroup });
    const containers = new Containers({
      registry,
      updater,
      creator,
      lifecycle,
      remover,
      processes,
      stats,
      layers,
      events,
      dataDirectory: (id) => directories.data(id),
      findImageId: async (ref) => (await findImage(images, ref))?.id,
      imageSizeBytes: async (imageId) => (await findImage(images, imageId))?.sizeBytes ?? 0,
      renameEndpoint: (id, { networkId, names }) => void networks.rename(id, networkId, names),
      changes: (id) => containerChanges(store, id),
      exportTree: (record, signal) => exportContainer(store, record.id, { mounted: isLive(record.phase), signal }),
    });

    const onExit = async (exit: ProcessExit): Promise<void> => {
      if (exit.kind === 'exec') {
        await execs.onExit(exit);
      } else {
        await lifecycle.onExit(exit);
        await execs.containerEnded(exit.containerId, exit.exitCode);
      }
      monitor.acknowledge(exit.kind, exit.id);
    };
    const handleExit = (exit: ProcessExit): Promise<void> =>
      onExit(exit).catch((error: unknown) => logger.error('handling a process exit failed', { id: exit.id, error }));

    this.containers = containers;
    this.execs = execs;
    this.files = new ContainerFiles({ registry, layers, processes, events });
    this.images = images;
    this.registries = new Registries({ ...options.registries, store, db, emit: emitImage });
    const runtime = runtimes.get(options.facts.defaultRuntime);
    if (!runtime) throw new TypeError(`there is no runtime ${options.facts.defaultRuntime}`);
    this.buildImages = new BuildImages(images, this.registries);
    this.buildSteps = new BuildSteps({
      logger,
      sys,
      runtime,
      facts: options.hostFacts,
      networks,
      directory: `${options.execRoot}/steps`,
      dns: options.dns,
      hostGateway,
      findContainer: (ref) => registry.get(ref),
    });
    this.committer = new Committer({ registry, images, store, processes, events });
    const attachments = new NetworkAttachments({
      registry,
      networks,
      events,
      editNetworkFiles: (record, change) => processes.editNetworkFiles(record, change),
    });
    this.networks = new NetworkOperations({ registry, networks, attachments, events });
    this.volumeViews = new VolumeViews({ volumes, events, users: volumeUsers, sizeBytes: volumeSizeBytes });
    this.system = new System({
      facts: {
        ...options.facts,
        cgroup: options.hostFacts.cgroup,
        systemdCgroups: options.hostFacts.systemdCgroups,
        initBinary: options.initPath?.split('/').at(-1) ?? '',
      },
      registry,
      containers,
      images,
      fsckStore: () => store.fsck({ deep: false }),
      volumes,
      volumeUsers,
      volumeDrivers: () => ['local', ...plugins.names].toSorted(),
      volumeSizeBytes,
      events,
      openFileDescriptors: options.openFileDescriptors,
      buildCacheUsage: options.buildCacheUsage,
    });
    this.#events = events;
    this.#remover = remover;
    this.#processes = processes;
    this.#monitor = monitor;
    this.#health = health;
    this.#recover = async () => {
      await this.buildSteps.recover();
      await recoverContainers({
        registry,
        lifecycle,
        remover,
        processes,
        layers,
        networks,
        volumes,
        directories,
        logger,
        runtimeIds: () => Promise.resolve([...runtimes.values()].flatMap((runtime) => runtime.list())),
        watchExits: async () => {
          processes.killLeftProbes();
          processes.endLeftExecs();
          monitor.open();
          deliver = (exit) => void handleExit(exit);
          for (const exit of earlyExits.splice(0)) await handleExit(exit);
        },
        adopt: (record) => {
          processes.watchLog(record);
          health.adopt(record);
        },
      });
    };
  }

  /** Tells that the cache of builds was pruned. */
  buildCachePruned(freedBytes: number): void {
    this.#events.publish('builder', 'prune', '', { reclaimed: String(freedBytes) });
  }

  /** Lets go of everything in this process; containers run on. */
  async close(): Promise<void> {
    this.#health.close();
    await this.#remover.settled();
    await this.#processes.close();
    this.#monitor[Symbol.dispose]();
  }
}

/** An image that may be gone, or whose name is no name. */
async function findImage(images: Images, ref: string): Promise<StoredImage | undefined> {
  try {
    return await images.resolve(ref);
  } catch (error) {
    if (isKind(error, 'notFound') || isKind(error, 'invalidArgument')) return undefined;
    throw error;
  }
}
