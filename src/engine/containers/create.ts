import { existsSync } from 'node:fs';
import { hostname as hostHostname } from 'node:os';
import { EngineError, isKind } from '#errors';
import { formatRfc3339Nano, nowNano, randomHex } from '#lib';
import type { NetworkDescription } from '#net';
import {
  type ContainerConfig,
  type ContainerCreateRequest,
  type ContainerId,
  type HostConfig,
  parseContainerId,
} from '#spec';
import type { ContainerLayers, StoredImage } from '#store';
import { chooseEndpoints } from '../networks/endpoint-settings.ts';
import type { EventBus } from '../events/event-bus.ts';
import type { NewVolume } from '../volumes/volume-rows.ts';
import type { Volumes } from '../volumes/volumes.ts';
import { commandOf, mergeImageConfig, normalizeHostConfig, type HostDefaults } from './create-config.ts';
import type { ContainerDirectories } from './directories.ts';
import { eventAttributes } from './lifecycle.ts';
import { planMounts } from './mounts.ts';
import { checkName, generateName } from './names.ts';
import { nameInUse } from './errors.ts';
import { publicPortWarnings } from './ports.ts';
import { parseVolumesFrom } from './bind-spec.ts';
import { missingBindSource } from './mount-sources.ts';
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
  /** Where ports are published that name no address, if whoever publishes one at all addresses is to be warned. */
  publicPortWarning: { hostBinding: string } | undefined;
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
    const madeVolumes = await this.#settleMounts(record, options.platform);
    undo.defer(() => removeLayers(layers, record.id));
    await layers.create(record.id, record.chainId);
    for (const { imageLayer } of record.mounts) {
      if (!imageLayer) continue;
      await layers.create(imageLayer.name, imageLayer.chainId);
      failpoint('mount-image-layer-made');
    }
    failpoint('create-after-layer');
    undo.defer(() => directories.remove(record.id));
    directories.create(record.id);
    failpoint('create-after-directory');
    const created: string[] = [];
    registry.repository.insert(record, () => {
      for (const volume of madeVolumes) if (volumes.ensureRow(volume)) created.push(volume.name);
    });
    failpoint('create-after-commit');
    undo.move();
    for (const name of created) volumes.announceCreated(name);
    events.publish('container', 'create', record.id, eventAttributes(record));
    return { Id: record.id, Warnings: warnings };
  }

  /** Settles what the plan left open: drivers and places of volumes, images to mount. Answers the volumes to store. */
  async #settleMounts(record: ContainerRecord, platform: string): Promise<NewVolume[]> {
    const volumes: NewVolume[] = [];
    for (const [index, mount] of record.mounts.entries()) {
      const { point } = mount;
      if (point.Type === 'image') await this.#settleImage(record.id, mount, index, platform);
      if (point.Type !== 'volume' || point.Name === undefined) continue;
      const wanted: NewVolume = {
        name: point.Name,
        anonymous: record.anonymousVolumes.includes(point.Name),
        driver: mount.volumeDriver ?? '',
        labels: mount.volumeLabels,
        options: mount.volumeOptions,
      };
      const { driver, mountpoint } = await this.#deps.volumes.prepare(wanted);
      volumes.push({ ...wanted, driver });
      point.Driver = driver;
      point.Source = mountpoint;
    }
    return volumes;
  }

  async #settleImage(id: ContainerId, mount: PlannedMount, index: number, platform: string): Promise<void> {
    // One that came from another container keeps its image, but has a layer of its own.
    const chainId = mount.imageLayer
      ? mount.imageLayer.chainId
      : (await this.#deps.resolveImage(mount.point.Name ?? '', platform)).chainId;
    mount.imageLayer = { name: `${id}.${index}`, chainId };
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
    const { registry, defaults } = this.#deps;
    const id = parseContainerId(randomHex(32));
    const config = mergeImageConfig(request.config, image.config.config);
    const { host: hostConfig, warnings } = normalizeHostConfig(request.hostConfig, config, defaults);
    warnings.push(...this.#portWarnings({ config, hostConfig }));
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
      inherited: (hostConfig.VolumesFrom ?? []).map((spec) => {
        const { container, readOnly } = parseVolumesFrom(spec);
        const source = this.#findSource(container);
        anonymousVolumes.push(...source.anonymousVolumes);
        return { mounts: source.mounts, readOnly };
      }),
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

  /** @throws invalidArgument when there is no such container to take volumes from. */
  #findSource(ref: string): ContainerRecord {
    try {
      return this.#deps.registry.get(ref);
    } catch (cause) {
      if (!isKind(cause, 'notFound')) throw cause;
      throw new EngineError('invalidArgument', 'NO_SUCH_CONTAINER', `No such container: ${ref}`, { cause });
    }
  }

  #portWarnings(settings: { config: ContainerConfig; hostConfig: HostConfig }): string[] {
    const { publicPortWarning } = this.#deps;
    if (publicPortWarning === undefined) return [];
    const { options = {} } = this.#deps.findNetwork(settings.hostConfig.NetworkMode) ?? {};
    const binding = options['com.docker.network.bridge.host_binding_ipv4'] ?? publicPortWarning.hostBinding;
    return publicPortWarnings(settings, binding);
  }

  #defaultHostname(id: ContainerId, networkMode: string): string {
    if (networkMode === 'host') return hostHostname();
    if (!networkMode.startsWith('container:')) return id.slice(0, 12);
    // Whether that container exists is told at start, as dockerd does: clients take a 404 at create for a missing image.
    return this.#deps.registry.find(networkMode.slice('container:'.length))?.config.Hostname ?? id.slice(0, 12);
  }
}

async function removeLayers(layers: ContainerLayers, id: string): Promise<void> {
  for (const name of [...layers.listOf(id), id]) await layers.remove(name);
}
