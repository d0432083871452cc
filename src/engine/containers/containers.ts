import type { Readable } from 'node:stream';
import { EngineError } from '#errors';
import { nowNano } from '#lib';
import type { Endpoint } from '#net';
import type {
  ContainerCreateRequest,
  ContainerId,
  ContainerInspect,
  ContainerSummary,
  HostConfig,
  TopResponse,
  WaitResponse,
} from '#spec';
import type { ContainerLayers } from '#store';
import type { EventBus } from '../events/event-bus.ts';
import { endpointNames } from '../networks/endpoint-names.ts';
import { copyStreams, type ClientStreams } from './attach.ts';
import type { Creator } from './create.ts';
import { parseDetachKeys } from './detach-keys.ts';
import { nameInUse, notRunning } from './errors.ts';
import { eventAttributes, type Lifecycle } from './lifecycle.ts';
import { compileFilter, createdAt, matchesLabel, type Filters } from './list-filter.ts';
import { parseUntil } from '../prune-until.ts';
import { logAttributes } from './log-attributes.ts';
import { keepsLog } from './log-config.ts';
import { checkName } from './names.ts';
import type { ContainerProcesses } from './processes.ts';
import { countsAsRunning, endingOf, isLive, type ContainerRecord } from './record.ts';
import type { ContainerRegistry } from './registry.ts';
import type { Remover } from './remover.ts';
import type { StatsReader } from './stats.ts';
import { listProcesses } from './top.ts';
import type { Updater } from './update.ts';
import { toInspect, toSummary } from './wire.ts';

export interface ContainersDeps {
  registry: ContainerRegistry;
  creator: Creator;
  lifecycle: Lifecycle;
  remover: Remover;
  processes: ContainerProcesses;
  updater: Updater;
  stats: StatsReader;
  layers: ContainerLayers;
  events: EventBus;
  dataDirectory(id: string): string;
  /** ID of the image a reference names; undefined when there is none. */
  findImageId(ref: string): Promise<string | undefined>;
  /** Bytes of a container's image, unpacked. */
  imageSizeBytes(imageId: string): Promise<number>;
  /** Others on the endpoint's network find the container by its names from now on. */
  renameEndpoint(id: string, endpoint: Endpoint): void;
  changes(id: string): Promise<{ Path: string; Kind: 0 | 1 | 2 }[] | null>;
  /** Called under the container's lock, which is held until the tar was read. */
  exportTree(record: ContainerRecord, signal: AbortSignal): Promise<Readable>;
}

interface AttachOptions {
  logs: boolean;
  stream: boolean;
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  detachKeys: string;
}

interface LogsOptions {
  follow: boolean;
  stdout: boolean;
  stderr: boolean;
  since?: bigint | undefined;
  until?: bigint | undefined;
  timestamps: boolean;
  tail?: number | undefined;
  details: boolean;
  signal: AbortSignal;
}

/** The container use cases, as the API's routes call them. Containers are named by full ID, name, or unique ID prefix. */
export class Containers {
  readonly #deps: ContainersDeps;

  constructor(deps: ContainersDeps) {
    this.#deps = deps;
  }

  create(
    request: ContainerCreateRequest,
    options: { name: string; platform: string },
  ): Promise<{ Id: ContainerId; Warnings: string[] }> {
    this.#deps.processes.expect();
    return this.#deps.creator.create(request, options);
  }

  async list(options: { all: boolean; limit: number; size: boolean; filters: Filters }): Promise<ContainerSummary[]> {
    const { registry } = this.#deps;
    const matches = await compileFilter(options.filters, {
      find: (ref) => registry.find(ref),
      imageId: (ref) => this.#deps.findImageId(ref),
    });
    const limit = options.limit > 0 ? options.limit : Infinity;
    // Docker: a limit, or a filter on status or exit code, implies all.
    const all = options.all || options.limit > 0 || options.filters.has('status') || options.filters.has('exited');
    const records = registry
      .list()
      .filter((record) => (all || countsAsRunning(record.phase)) && matches(record))
      .toSorted((a, b) => (createdAt(a) < createdAt(b) ? 1 : -1))
      .slice(0, limit);
    const now = Date.now();
    if (!options.size) return records.map((record) => toSummary(record, now));
    return Promise.all(records.map(async (record) => toSummary(record, now, await this.#sizeOf(record))));
  }

  async #sizeOf(record: ContainerRecord): Promise<{ rw: number; rootFs: number }> {
    const rw = await this.#deps.layers.usageBytes(record.id);
    return { rw, rootFs: rw + (await this.#deps.imageSizeBytes(record.imageId)) };
  }

  async inspect(ref: string, options: { size: boolean }): Promise<ContainerInspect> {
    const { registry, processes, layers } = this.#deps;
    const record = registry.get(ref);
    const execIds = [...registry.session(record.id).execIds];
    return toInspect(record, {
      directory: this.#deps.dataDirectory(record.id),
      logPath: processes.shownLogPath(record),
      execIds: execIds.length > 0 ? execIds : null,
      graphDriverData: layers.graphDriverData(record.id),
      size: options.size ? await this.#sizeOf(record) : undefined,
    });
  }

  async start(ref: string, options: { checkpoint: string }): Promise<void> {
    if (options.checkpoint !== '') {
      throw new EngineError(
        'notImplemented',
        'CHECKPOINTS_NOT_IMPLEMENTED',
        'starting from a checkpoint is not implemented yet',
      );
    }
    await this.#deps.lifecycle.start(this.#deps.registry.get(ref).id);
  }

  stop(ref: string, options: { signal: string; timeoutSeconds?: number | undefined }): Promise<void> {
    return this.#deps.lifecycle.stop(this.#deps.registry.get(ref).id, options);
  }

  async restart(ref: string, options: { signal: string; timeoutSeconds?: number | undefined }): Promise<void> {
    await this.#deps.lifecycle.restart(this.#deps.registry.get(ref).id, options);
  }

  async kill(ref: string, options: { signal: string }): Promise<void> {
    await this.#deps.lifecycle.kill(this.#deps.registry.get(ref).id, options.signal);
  }

  async pause(ref: string): Promise<void> {
    await this.#deps.lifecycle.pause(this.#deps.registry.get(ref).id);
  }

  async unpause(ref: string): Promise<void> {
    await this.#deps.lifecycle.unpause(this.#deps.registry.get(ref).id);
  }

  /** @throws invalidArgument for an empty, bad or unchanged name; conflict when it is taken. */
  async rename(ref: string, newName: string): Promise<void> {
    const { registry, events } = this.#deps;
    if (ref.replace(/^\//, '') === '' || newName.replace(/^\//, '') === '') {
      throw new EngineError('invalidArgument', 'EMPTY_NAME', 'Neither old nor new names may be empty');
    }
    const { id } = registry.get(ref);
    using _lock = await registry.locks.lock(id);
    const record = registry.current(id);
    const name = checkName(newName);
    if (name === record.name) {
      throw new EngineError(
        'invalidArgument',
        'NAME_UNCHANGED',
        'Renaming a container with the same name as its current name',
      );
    }
    const holder = registry.repository.getByName(name);
    if (holder) {
      const cause = nameInUse(name, holder.id);
      throw new EngineError('conflict', cause.code, `Error when allocating new name: ${cause.message}`, { cause });
    }
    const renamed = this.#rename(record, name);
    events.publish('container', 'rename', id, { ...eventAttributes(renamed), oldName: `/${record.name}` });
  }

  /** A running container is found by its new name at once. */
  #rename(record: ContainerRecord, name: string): ContainerRecord {
    const { registry } = this.#deps;
    if (!isLive(record.phase) || record.sandbox === undefined) return registry.save(record, { name });
    const endpoints = record.sandbox.endpoints.map((endpoint) => {
      const aliases = record.endpoints[endpoint.networkName]?.Aliases ?? [];
      return { ...endpoint, names: endpointNames({ ...record, name }, aliases) };
    });
    const renamed = registry.save(record, { name, sandbox: { ...record.sandbox, endpoints } });
    for (const endpoint of endpoints) this.#deps.renameEndpoint(record.id, endpoint);
    return renamed;
  }

  /** @throws invalidArgument, conflict: Docker's; the container is unchanged then. */
  update(ref: string, changes: HostConfig): Promise<{ Warnings: string[] }> {
    return this.#deps.updater.update(ref, changes);
  }

  remove(ref: string, options: { force: boolean; volumes: boolean; link: boolean }): Promise<void> {
    return this.#deps.remover.remove(ref, options, this.#deps.lifecycle);
  }

  /** Removes stopped containers that match `label`, `label!` and `until`. */
  async prune(filters: Filters): Promise<{ ContainersDeleted: string[] | null; SpaceReclaimed: number }> {
    const { registry, layers, events } = this.#deps;
    const matches = compilePruneFilter(filters);
    const deleted: string[] = [];
    let reclaimed = 0;
    for (const record of registry.list()) {
      if (record.phase.status !== 'created' && record.phase.status !== 'exited' && record.phase.status !== 'dead')
        continue;
      if (!matches(record)) continue;
      const bytes = await layers.usageBytes(record.id);
      try {
        await this.remove(record.id, { force: false, volumes: false, link: false });
      } catch (error) {
        if (error instanceof EngineError && (error.kind === 'conflict' || error.kind === 'notFound')) continue;
        throw error;
      }
      deleted.push(record.id);
      reclaimed += bytes;
    }
    events.publish('container', 'prune', '', { reclaimed: String(reclaimed) });
    return { ContainersDeleted: deleted.length > 0 ? deleted : null, SpaceReclaimed: reclaimed };
  }

  /** Armed when this resolves. `not-running` holds at once for a container that does not run. */
  wait(
    ref: string,
    condition: 'not-running' | 'next-exit' | 'removed',
    signal: AbortSignal,
  ): Promise<{ result: Promise<WaitResponse> }> {
    const { registry } = this.#deps;
    const record = registry.get(ref);
    if (condition === 'not-running' && !countsAsRunning(record.phase)) {
      const ending = endingOf(record.phase);
      const exitCode = ending?.exitCode ?? (record.phase.status === 'created' ? record.phase.exitCode : 0);
      return Promise.resolve({ result: Promise.resolve({ StatusCode: exitCode }) });
    }
    return Promise.resolve({ result: registry.session(record.id).wait(condition, signal) });
  }

  async top(ref: string, psArgs: string): Promise<TopResponse> {
    const { registry, events } = this.#deps;
    const record = registry.get(ref);
    if (!isLive(record.phase)) throw notRunning(record.id);
    const answer = await listProcesses(this.#deps.stats.processIds(record), psArgs);
    events.publish('container', 'top', record.id, eventAttributes(record));
    return answer;
  }

  stats(ref: string, options: { stream: boolean; oneShot: boolean; signal: AbortSignal }): AsyncIterable<unknown> {
    const { id } = this.#deps.registry.get(ref);
    return this.#deps.stats.read(id, options);
  }

  async resize(ref: string, size: { height: number; width: number }): Promise<void> {
    const { registry, processes, events } = this.#deps;
    const record = registry.get(ref);
    if (!isLive(record.phase)) throw notRunning(record.id);
    await processes.resize(record.id, size);
    events.publish('container', 'resize', record.id, {
      ...eventAttributes(record),
      height: String(size.height),
      width: String(size.width),
    });
  }

  /** @throws conflict when it is paused or restarting; invalidArgument for bad detach keys. */
  attach(ref: string, options: AttachOptions): Promise<{ tty: boolean; run(streams: ClientStreams): Promise<void> }> {
    const record = this.#deps.registry.get(ref);
    const keys = parseDetachKeys(options.detachKeys);
    if (record.phase.status === 'paused') {
      throw new EngineError(
        'conflict',
        'CONTAINER_PAUSED',
        `container ${record.id} is paused, unpause the container before attach`,
      );
    }
    if (record.phase.status === 'restarting') {
      throw new EngineError(
        'conflict',
        'CONTAINER_RESTARTING',
        `container ${record.id} is restarting, wait until the container is running before attach`,
      );
    }
    const tty = record.config.Tty;
    return Promise.resolve({
      tty,
      run: (streams) => this.#runAttach(record, options, tty ? keys : undefined, streams),
    });
  }

  async #runAttach(
    record: ContainerRecord,
    options: AttachOptions,
    keys: Buffer | undefined,
    streams: ClientStreams,
  ): Promise<void> {
    const { events } = this.#deps;
    events.publish('container', 'attach', record.id, eventAttributes(record));
    const client: ClientStreams = {
      signal: streams.signal,
      stdin: options.stdin && record.config.OpenStdin ? streams.stdin : undefined,
      stdout: options.stdout ? streams.stdout : undefined,
      stderr: options.stderr ? streams.stderr : undefined,
    };
    if (options.logs) await this.#replayLogs(record, client);
    if (!options.stream) return;
    const end = await this.#stream(record, client, keys);
    if (end === 'detached') events.publish('container', 'detach', record.id, eventAttributes(record));
  }

  async #replayLogs(record: ContainerRecord, client: ClientStreams): Promise<void> {
    const lines = this.#deps.processes.readLogs(record.id, { follow: false, until: nowNano(), signal: client.signal });
    for await (const line of lines) (line.stream === 'stdout' ? client.stdout : client.stderr)?.write(line.data);
  }

  /** Attaches now if it runs, else at its next start. */
  async #stream(
    record: ContainerRecord,
    client: ClientStreams,
    keys: Buffer | undefined,
  ): Promise<'ended' | 'detached' | 'gone'> {
    const { registry, processes } = this.#deps;
    const now = registry.repository.get(record.id);
    // A client without stdin must not end the process's by going; unless one client's end would end it, none can.
    const { OpenStdin, StdinOnce, Tty } = record.config;
    const withStdin = client.stdin !== undefined || !OpenStdin || !StdinOnce || Tty;
    if (!now) return 'ended';
    if (isLive(now.phase)) return copyStreams(await processes.attach(record.id, withStdin), client, keys);
    const session = registry.session(record.id);
    const { promise, resolve, reject } = Promise.withResolvers<'ended' | 'detached' | 'gone'>();
    const pending = {
      connect: async (): Promise<void> => {
        const connection = await processes.attach(record.id, withStdin);
        copyStreams(connection, client, keys).then(resolve, reject);
      },
      abandon: (): void => resolve('ended'),
    };
    session.pendingAttaches.add(pending);
    const forget = (): void => {
      if (session.pendingAttaches.delete(pending)) resolve('gone');
    };
    client.signal.addEventListener('abort', forget, { once: true });
    try {
      return await promise;
    } finally {
      client.signal.removeEventListener('abort', forget);
    }
  }

  /** @throws invalidArgument when the log driver keeps nothing that could be read. */
  logs(
    ref: string,
    options: LogsOptions,
  ): Promise<{
    tty: boolean;
    attributes: Record<string, string>;
    entries: AsyncIterable<{ stream: 'stdout' | 'stderr'; time: bigint; data: Buffer }>;
  }> {
    const { registry, processes } = this.#deps;
    const record = registry.get(ref);
    if (!keepsLog(record.hostConfig.LogConfig)) {
      throw new EngineError('internal', 'LOGS_NOT_READABLE', 'configured logging driver does not support reading');
    }
    const running = countsAsRunning(record.phase);
    const entries = processes.readLogs(record.id, {
      follow: options.follow && running,
      since: options.since,
      until: options.until,
      tail: options.tail,
      signal: options.signal,
      finished: registry.session(record.id).runEnded.promise,
    });
    const wanted = selectStreams(entries, options);
    // Of our drivers only this one attaches something.
    const attributes = record.hostConfig.LogConfig.Type === 'json-file' ? logAttributes(record) : {};
    return Promise.resolve({ tty: record.config.Tty, attributes, entries: wanted });
  }

  changes(ref: string): Promise<{ Path: string; Kind: 0 | 1 | 2 }[] | null> {
    return this.#deps.changes(this.#deps.registry.get(ref).id);
  }

  async export(ref: string, signal: AbortSignal): Promise<Readable> {
    const { registry, events } = this.#deps;
    const { id } = registry.get(ref);
    const lock = await registry.locks.lock(id, signal);
    try {
      const record = registry.current(id);
      const tree = await this.#deps.exportTree(record, signal);
      // A stopped container stays mounted for this only: nothing may start or remove it meanwhile.
      if (isLive(record.phase)) lock[Symbol.dispose]();
      else tree.once('close', () => lock[Symbol.dispose]());
      events.publish('container', 'export', id, eventAttributes(record));
      return tree;
    } catch (error) {
      lock[Symbol.dispose]();
      throw error;
    }
  }
}

async function* selectStreams<Entry extends { stream: 'stdout' | 'stderr' }>(
  entries: AsyncIterable<Entry>,
  options: { stdout: boolean; stderr: boolean },
): AsyncGenerator<Entry> {
  for await (const entry of entries) if (options[entry.stream]) yield entry;
}

function compilePruneFilter(filters: Filters): (record: ContainerRecord) => boolean {
  for (const key of filters.keys()) {
    if (key !== 'label' && key !== 'label!' && key !== 'until') {
      throw new EngineError('invalidArgument', 'INVALID_FILTER', `invalid filter '${key}'`);
    }
  }
  const untils = filters.get('until') ?? [];
  if (untils.length > 1)
    throw new EngineError('invalidArgument', 'INVALID_FILTER', 'more than one until filter specified');
  const until = untils[0] === undefined ? undefined : parseUntil(untils[0]);
  const labels = filters.get('label') ?? [];
  const without = filters.get('label!') ?? [];
  return (record) => {
    const own = record.config.Labels ?? {};
    return (
      (until === undefined || createdAt(record) < until) &&
      labels.every((label) => matchesLabel(own, label)) &&
      !(without.length > 0 && without.every((label) => matchesLabel(own, label)))
    );
  };
}
