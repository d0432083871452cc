import { randomUUID } from 'node:crypto';
import { execFile } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createApiServer, type ApiServer } from '#api';
import { closeArchiveWorkers, unpack } from '#archive';
import { openBuilds } from '#build';
import { checkLogConfig, Engine, engineMigrations, logDriverNames, openNetworkStore } from '#engine';
import { EngineError } from '#errors';
import type { Logger } from '#lib';
import { openNetworks } from '#net';
import { createRegistryClient } from '#registry';
import { findInit, findRuntime, OciRuntime, readHostFacts, sealProgram } from '#runtime';
import { openDatabase, openStore, storeMigrations } from '#store';
import { createLinuxSys, type Sys } from '#sys';
import type { DaemonConfig } from './config.ts';
import { MemoryAtRest } from './memory-at-rest.ts';
import { engineVersion } from './version.ts';

const run = promisify(execFile);
const conmonPaths = ['/usr/bin/conmon', '/usr/libexec/podman/conmon', '/usr/local/bin/conmon'];

/** A daemon that serves. */
export interface Daemon {
  /** Stops serving and lets go of everything; containers run on. */
  close(drainMs: number): Promise<void>;
}

/**
 * Builds the engine from its parts, brings kernel, disk and database to agree, and serves. Read from top to bottom; what
 * is opened here is closed in reverse.
 */
export async function openDaemon(config: DaemonConfig, logger: Logger): Promise<Daemon> {
  checkLogConfig(config.log);
  await using opening = new AsyncDisposableStack();
  mkdirSync(config.dataRoot, { recursive: true, mode: 0o710 });
  mkdirSync(config.execRoot, { recursive: true, mode: 0o711 });
  const sys = createLinuxSys();
  const lock = openSync(join(config.dataRoot, 'lock'), 'w', 0o600);
  opening.defer(() => closeSync(lock));
  if (!sys.files.tryLockFile(lock, 'exclusive')) {
    throw new EngineError(
      'conflict',
      'DATA_ROOT_IN_USE',
      `another daemon uses ${config.dataRoot}; stop it, or choose another --data-root`,
    );
  }

  const db = openDatabase(join(config.dataRoot, 'meta.db'), [...storeMigrations, ...engineMigrations]);
  opening.defer(() => db.close());
  opening.defer(() => closeArchiveWorkers());
  const store = await openStore({ root: join(config.dataRoot, 'store'), db, sys, unpack, logger });
  opening.defer(() => store.close());

  const networks = await openNetworks({
    sys,
    store: openNetworkStore(db, join(config.dataRoot, 'networks.json')),
    logger,
    execRoot: config.execRoot,
    bridgeName: config.bridge,
    tableName: config.bridge === 'berth0' ? 'berth' : `berth-${config.bridge}`,
    bridgeAddress: config.bip === '' ? undefined : config.bip,
    resolver: { servers: config.dns, options: config.dnsOptions },
    ...config.network,
  });
  opening.defer(() => networks.close());

  const systemdCgroups = config.cgroupDriver === 'systemd';
  if (systemdCgroups) requireSystemd();
  const { runtimes, defaultRuntime, versions } = await openRuntimes(config, sys, systemdCgroups);
  const conmonPath = conmonPaths.find((path) => existsSync(path));
  if (conmonPath === undefined) {
    throw new EngineError(
      'unavailable',
      'NO_CONMON',
      'conmon is not installed; it holds the containers (package conmon)',
    );
  }
  const { registries } = config;
  const client = createRegistryClient({ ...registries, userAgent: `berth/${engineVersion()}` });
  opening.use(client);
  const engine = await Engine.open({
    logger,
    sys,
    db,
    store,
    networks,
    runtimes,
    conmonPath,
    hostFacts: readHostFacts(sys, { systemdCgroups }),
    dataRoot: config.dataRoot,
    execRoot: config.execRoot,
    initPath: config.initPath === '' ? findInit() : config.initPath,
    initByDefault: config.init,
    log: config.log,
    dns: { servers: config.dns, search: config.dnsSearch, options: config.dnsOptions },
    publicPortWarning: config.network.warnPublicPorts ? { hostBinding: config.network.hostBinding } : undefined,
    registries: { ...registries, client },
    facts: {
      id: engineId(config.dataRoot),
      version: engineVersion(),
      gitCommit: '',
      buildTime: '',
      dataRoot: config.dataRoot,
      defaultRuntime,
      logDriver: config.log.Type,
      logDrivers: logDriverNames,
      runtimes: versions,
      conmonVersion: await readVersion(conmonPath),
      labels: config.labels,
      debug: config.logLevel === 'debug',
      registries,
    },
    openFileDescriptors: () => readdirSync('/proc/self/fd').length,
    buildCacheUsage: () => builds.cache.usage(),
  });
  opening.defer(() => engine.close());
  const builds = await openBuilds({
    store,
    sys,
    executor: engine.buildSteps,
    images: engine.buildImages,
    root: join(config.dataRoot, 'build'),
    execRoot: join(config.execRoot, 'build'),
    policies: config.builder.policies,
    logger,
    pruned: (freedBytes) => engine.buildCachePruned(freedBytes),
  });
  opening.defer(() => builds.close());

  const api = createApiServer({
    backends: {
      containers: engine.containers,
      files: engine.files,
      exec: engine.execs,
      images: engine.images,
      commit: engine.committer,
      build: builds,
      registries: engine.registries,
      networks: engine.networks,
      volumes: engine.volumeViews,
      system: engine.system,
    },
    logger,
    engineVersion: engineVersion(),
    group: config.group === '' ? undefined : config.group,
    allowInsecureTcp: config.allowInsecureTcp,
  });
  opening.defer(() => api.destroy());
  for (const host of config.hosts) logger.info('API listens', { host: await api.listen(host) });
  const rest = new MemoryAtRest({
    processes: sys.processes,
    cpuMs: () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1000;
    },
    collect: globalThis.gc && (() => globalThis.gc?.({ type: 'major', execution: 'sync' })),
  });
  opening.defer(() => rest[Symbol.dispose]());
  rest.watch();
  return closing(api, opening.move());
}

function closing(api: ApiServer, open: AsyncDisposableStack): Daemon {
  return {
    close: async (drainMs) => {
      await api.close(drainMs);
      await open.disposeAsync();
    },
  };
}

/** The runtime asks systemd for each container's scope, on the system bus. */
function requireSystemd(): void {
  const missing = ['/run/systemd/system', '/run/dbus/system_bus_socket'].find((path) => !existsSync(path));
  if (missing === undefined) return;
  throw new EngineError(
    'unavailable',
    'NO_SYSTEMD',
    `native.cgroupdriver=systemd: ${missing} is not there, so systemd cannot be asked for control groups; use cgroupfs`,
  );
}

interface Runtimes {
  runtimes: Map<string, OciRuntime>;
  defaultRuntime: string;
  versions: Record<string, { path: string; version: string }>;
}

/** The runtimes of the configuration, and those found on this host. */
async function openRuntimes(config: DaemonConfig, sys: Sys, systemdCgroups: boolean): Promise<Runtimes> {
  const candidates = { crun: undefined, runc: undefined, ...config.runtimes };
  const runtimes = new Map<string, OciRuntime>();
  const versions: Runtimes['versions'] = {};
  for (const [name, path] of Object.entries(candidates)) {
    const found = await findRuntime(path ?? name).catch((error: unknown) => {
      if (path !== undefined) throw error;
      return undefined;
    });
    if (!found) continue;
    runtimes.set(
      name,
      new OciRuntime({
        sys,
        path: found.path,
        launchPath: await sealProgram(found, sys.files),
        version: found.version,
        root: join(config.execRoot, name),
        systemdCgroups,
      }),
    );
    versions[name] = { path: found.path, version: found.version.version };
  }
  const defaultRuntime = config.defaultRuntime === '' ? [...runtimes.keys()][0] : config.defaultRuntime;
  if (defaultRuntime === undefined || !runtimes.has(defaultRuntime)) {
    throw new EngineError(
      'unavailable',
      'NO_RUNTIME',
      defaultRuntime === undefined
        ? 'no OCI runtime found; install crun (or runc)'
        : `the default runtime "${defaultRuntime}" is not registered; see --add-runtime`,
    );
  }
  return { runtimes, defaultRuntime, versions };
}

/** Names this engine for good. */
function engineId(dataRoot: string): string {
  const path = join(dataRoot, 'engine-id');
  if (existsSync(path)) return readFileSync(path, 'utf8').trim();
  const id = randomUUID();
  writeFileSync(path, `${id}\n`, { mode: 0o600 });
  return id;
}

async function readVersion(program: string): Promise<string> {
  const { stdout } = await run(program, ['--version']);
  return /version (\S+)/.exec(stdout)?.[1] ?? '';
}
