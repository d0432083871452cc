import type { Readable } from 'node:stream';
import { packTree } from '#archive';
import type { ContainerConfig, Digest, oci } from '#spec';
import type { Store } from '#store';
import type { EventBus } from '../events/event-bus.ts';
import { applyChanges } from '../images/changes.ts';
import type { Images } from '../images/index.ts';
import { mergeImageConfig } from './create-config.ts';
import { eventAttributes } from './lifecycle.ts';
import type { ContainerProcesses } from './processes.ts';
import type { ContainerRecord } from './record.ts';
import type { ContainerRegistry } from './registry.ts';

export interface CommitterDeps {
  registry: ContainerRegistry;
  images: Images;
  store: Store;
  processes: ContainerProcesses;
  events: EventBus;
}

export interface CommitOptions {
  container: string;
  repo: string;
  tag: string;
  comment: string;
  author: string;
  pause: boolean;
  changes: string[];
  /** What overrides the container's own config; zero values do not. */
  config: ContainerConfig | undefined;
}

/** Makes images of containers. */
export class Committer {
  readonly #deps: CommitterDeps;

  constructor(deps: CommitterDeps) {
    this.#deps = deps;
  }

  /** A new image of what the container changed; it stands still meanwhile if it runs and `pause` is wanted. */
  async commit(options: CommitOptions): Promise<{ Id: Digest }> {
    const { registry, processes, events } = this.#deps;
    const { id } = registry.get(options.container);
    using _lock = await registry.locks.lock(id);
    const record = registry.current(id);
    const freeze = options.pause && record.phase.status === 'running';
    if (freeze) await processes.pause(record);
    try {
      const imageId = await this.#commit(record, options);
      events.publish('container', 'commit', id, {
        ...eventAttributes(record),
        comment: options.comment,
        imageID: imageId,
        imageRef: options.repo === '' ? '' : `${options.repo}${options.tag === '' ? '' : `:${options.tag}`}`,
      });
      return { Id: imageId };
    } finally {
      if (freeze) await processes.resume(record);
    }
  }

  async #commit(record: ContainerRecord, options: CommitOptions): Promise<Digest> {
    const { images, store } = this.#deps;
    const aborter = new AbortController();
    const tar: Readable = packTree({
      root: store.containerLayers.upperDir(record.id),
      mode: 'overlay-upper',
      signal: aborter.signal,
    });
    try {
      return await images.commit({
        parentId: record.imageId,
        tar,
        run: applyChanges(runConfigOf(record, options.config), options.changes),
        repo: options.repo,
        tag: options.tag,
        author: options.author,
        comment: options.comment,
        createdBy: [record.path, ...record.args].join(' '),
        signal: aborter.signal,
      });
    } finally {
      aborter.abort();
    }
  }
}

/** What of a container's configuration an image keeps, the override's values over it. */
function runConfigOf(record: ContainerRecord, override: ContainerConfig | undefined): oci.RunConfig {
  const own = toRunConfig(record.config);
  return override === undefined ? own : toRunConfig(mergeImageConfig(override, own));
}

function toRunConfig(config: ContainerConfig): oci.RunConfig {
  return {
    ...(config.User === '' ? {} : { User: config.User }),
    ...(config.ExposedPorts ? { ExposedPorts: config.ExposedPorts } : {}),
    Env: config.Env ?? [],
    ...(config.Entrypoint ? { Entrypoint: config.Entrypoint } : {}),
    Cmd: config.Cmd,
    ...(config.Volumes ? { Volumes: config.Volumes } : {}),
    ...(config.WorkingDir === '' ? {} : { WorkingDir: config.WorkingDir }),
    ...(config.Labels ? { Labels: config.Labels } : {}),
    ...(config.StopSignal ? { StopSignal: config.StopSignal } : {}),
    ...(config.Healthcheck ? { Healthcheck: config.Healthcheck } : {}),
    ...(config.OnBuild ? { OnBuild: config.OnBuild } : {}),
    ...(config.Shell ? { Shell: config.Shell } : {}),
  };
}
