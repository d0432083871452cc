import { existsSync } from 'node:fs';
import { hostname as hostHostname } from 'node:os';
import { EngineError } from '#errors';
import { formatRfc3339Nano, nowNano, randomHex } from '#lib';
import type { NetworkDescription } from '#net';
import { parseContainerId, type ContainerCreateRequest, type ContainerId } from '#spec';
import type { ContainerLayers, StoredImage } from '#store';
import { chooseEndpoints } from '../networks/endpoint-settings.ts';
import type { EventBus } from '../events/event-bus.ts';
import type { Volumes } from '../volumes/volumes.ts';
import { commandOf, mergeImageConfig, normalizeHostConfig, type HostDefaults } from './create-config.ts';
import type { ContainerDirectories } from './directories.ts';
import { eventAttributes } from './lifecycle.ts';
import { planMounts } from './mounts.ts';
import { checkName, generateName } from './names.ts';
import { nameInUse } from './errors.ts';
import { missingBindSource } from './oci-processes.ts';
import type { ContainerRecord, PlannedMount } from './record.ts';
import type { ContainerRegistry } from './registry.ts';

export interface CreatorDeps {
  registry: ContainerRegistry;
  layers: ContainerLayers;
  volumes: Volumes;
  directories: ContainerDirectories;
  events: EventBus;
  defaults: HostDefaults;
  findNetwork(ref: string): NetworkDescription | undefined;
  /** @throws notFound with Docker's text. */
  resolveImage(ref: string, platform: string): Promise<StoredImage>;
  failpoint: (name: string) => void;
}

/**
 * Makes containers. Layer and directory first, then the row: what a kill leaves without a row is removed at start.
 */
export class Creator {
  readonly #deps: CreatorDeps;

  constructor(deps: CreatorDeps) {
    this.#deps = deps;
  }

  async create(
    request: ContainerCreateRequest,
    options: { name: string; platform: string },
  ): Promise<{ Id: ContainerId; Warnings: string[] }> {
    const { registry, layers, volumes, directories, events, failpoint } = this.#deps;
    const wantedName = options.name === '' ? undefined : checkName(options.name);
    if (request.config.Image === '') {
      throw new EngineError('invalidArgument', 'NO_IMAGE', 'no image specified');
    }
    const image = await this.#deps.resolveImage(request.config.Image, options.platform);
    const { record, warnings } = this.#plan(request, image, wantedName);
    using _name = await registry.locks.lock(`name:${record.name}`);
    this.#checkNameFree(record.name);
    await using undo = new AsyncDisposableStack();
    undo.defer(() => layers.remove(record.id));
    await layers.create(record.id, record.chainId);
    failpoint('create-after-layer');
    undo.defer(() => directories.remove(record.id));
    directories.create(record.id);
    failpoint('create-after-directory');
    const created: string[] = [];
    registry.repository.insert(record, () => {
      for (const { point, volumeLabels } of record.mounts) {
        if (point.Type !== 'volume' || point.Name === undefined) continue;
        const anonymous = record.anonymousVolumes.includes(point.Name);
        if (volumes.ensureRow(point.Name, { anonymous, ...(volumeLabels && { labels: volumeLabels }) }))
          created.push(point.Name);
      }
    });
    failpoint('create-after-commit');
    undo.move();
    for (const name of created) volumes.announceCreated(name);
    events.publish('container', 'create', record.id, eventAttributes(record));
    return { Id: record.id, Warnings: warnings };
  }

  #checkNameFree(name: string): void {
    const holder = this.#deps.registry.repository.getByName(name);
    if (holder) throw nameInUse(name, holder.id);
  }

  #plan(
    request: ContainerCreateRequest,
    image: StoredImage,
    wantedName: string | undefined,
  ): { record: ContainerRecord; warnings: string[] } {
    const { registry, volumes, defaults } = this.#deps;
    const id = parseContainerId(randomHex(32));
    const config = mergeImageConfig(request.config, image.config.config);
    const { host: hostConfig, warnings } = normalizeHostConfig(request.hostConfig, config, defaults);
    for (const mode of ['NetworkMode', 'IpcMode', 'PidMode'] as const) {
      if (!hostConfig[mode].startsWith('container:')) continue;
      // The name may be given to another container later.
      const other = registry.find(hostConfig[mode].slice('container:'.length));
      if (other) hostConfig[mode] = `container:${other.id}`;
    }
    const { path, args } = commandOf(config);
    if (config.Hostname === '') config.Hostname = this.#defaultHostname(id, hostConfig.NetworkMode);
    const anonymousVolumes: string[] = [];
    const mounts = planMounts({
      hostConfig,
      volumes: Object.keys(config.Volumes ?? {}),
      newVolumeName: () => {
        const name = randomHex(32);
        anonymousVolumes.push(name);
        return name;
      },
      volumePath: (name) => volumes.path(name),
    });
    this.#checkBindSources(mounts);
    const record: ContainerRecord = {
      id,
      name: wantedName ?? generateName((name) => registry.repository.getByName(name) !== undefined),
      createdAt: formatRfc3339Nano(nowNano()),
      imageId: image.id,
      chainId: image.chainId,
      config,
      hostConfig,
      path,
      args,
      phase: { status: 'created', exitCode: 0, error: '' },
      restartCount: 0,
      stoppedByUser: false,
      sandbox: undefined,
      endpoints: chooseEndpoints(request.networkingConfig.EndpointsConfig, hostConfig, config, (ref) =>
        this.#deps.findNetwork(ref),
      ),
      mounts,
      anonymousVolumes,
    };
    return { record, warnings };
  }

  /** `--mount` wants its source to exist at create; `-v` makes it at start. */
  #checkBindSources(mounts: readonly PlannedMount[]): void {
    for (const { point, createSource } of mounts) {
      if (point.Type === 'bind' && !createSource && !existsSync(point.Source)) throw missingBindSource(point.Source);
    }
  }

  #defaultHostname(id: ContainerId, networkMode: string): string {
    if (networkMode === 'host') return hostHostname();
    if (!networkMode.startsWith('container:')) return id.slice(0, 12);
    // Whether that container exists is told at start, as dockerd does: clients take a 404 at create for a missing image.
    return this.#deps.registry.find(networkMode.slice('container:'.length))?.config.Hostname ?? id.slice(0, 12);
  }
}
