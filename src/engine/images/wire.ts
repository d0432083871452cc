import { parseRfc3339Nano } from '#lib';
import type { ContainerConfig, Digest, HistoryEntry, ImageInspect, ImageSummary, ManifestSummary, oci } from '#spec';

/** An image with everything its wire shapes show. */
export interface ImageView {
  id: Digest;
  /** Of its index, or else of its manifest. */
  descriptor: oci.Descriptor;
  config: oci.ImageConfig;
  /** Short forms (`busybox:latest`). */
  repoTags: string[];
  /** Short forms with digest (`busybox@sha256:…`). */
  repoDigests: string[];
  /** Empty without one. */
  parentId: string;
  sizeBytes: number;
  /** RFC 3339; Go's zero time when never tagged. */
  lastTaggedAt: string;
  graphDriverData: Record<string, string> | null;
}

/** `GET /images/{name}/json`. */
export function toImageInspect(view: ImageView): ImageInspect {
  const { config } = view;
  return {
    Id: view.id,
    RepoTags: view.repoTags,
    RepoDigests: view.repoDigests,
    Parent: view.parentId,
    Comment: config.comment ?? config.history?.at(-1)?.comment ?? '',
    ...(config.created === undefined ? {} : { Created: config.created }),
    DockerVersion: config.docker_version ?? '',
    Author: config.author ?? '',
    Config: toDockerConfig(config.config ?? {}),
    Architecture: config.architecture,
    ...(config.variant ? { Variant: config.variant } : {}),
    Os: config.os,
    ...(config['os.version'] ? { OsVersion: config['os.version'] } : {}),
    Size: view.sizeBytes,
    GraphDriver: { Name: 'overlay2', Data: view.graphDriverData },
    RootFS: {
      Type: 'layers',
      ...(config.rootfs.diff_ids.length > 0 ? { Layers: config.rootfs.diff_ids } : {}),
    },
    Metadata: { LastTagTime: view.lastTaggedAt },
    Descriptor: view.descriptor,
  };
}

/** An image's run configuration in the shape of a container's, Go's zero values filled in. */
export function toDockerConfig(config: oci.RunConfig): ContainerConfig {
  return {
    Hostname: '',
    Domainname: '',
    User: config.User ?? '',
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    ...(config.ExposedPorts ? { ExposedPorts: config.ExposedPorts } : {}),
    Tty: false,
    OpenStdin: false,
    StdinOnce: false,
    Env: config.Env ?? null,
    Cmd: config.Cmd ?? null,
    ...(config.Healthcheck ? { Healthcheck: config.Healthcheck } : {}),
    ...(config.ArgsEscaped ? { ArgsEscaped: true } : {}),
    Image: '',
    Volumes: config.Volumes ?? null,
    WorkingDir: config.WorkingDir ?? '',
    Entrypoint: config.Entrypoint ?? null,
    OnBuild: config.OnBuild ?? null,
    Labels: config.Labels ?? null,
    ...(config.StopSignal ? { StopSignal: config.StopSignal } : {}),
    ...(config.StopTimeout === undefined ? {} : { StopTimeout: config.StopTimeout }),
    ...(config.Shell ? { Shell: config.Shell } : {}),
  };
}

/** One row of `GET /images/json`; -1 for what was not asked for. With manifests, the size is that of all of them, as far as they are here. */
export function toImageSummary(
  view: ImageView,
  more: { sharedSizeBytes?: number; containers?: number; manifests?: ManifestSummary[]; totalBytes?: number } = {},
): ImageSummary {
  return {
    Id: view.id,
    ParentId: view.parentId,
    RepoTags: view.repoTags,
    RepoDigests: view.repoDigests,
    Created: secondsOf(view.config.created),
    Size: more.totalBytes ?? view.sizeBytes,
    SharedSize: more.sharedSizeBytes ?? -1,
    Labels: view.config.config?.Labels ?? null,
    Containers: more.containers ?? -1,
    Descriptor: view.descriptor,
    ...(more.manifests === undefined ? {} : { Manifests: more.manifests }),
  };
}

function secondsOf(time: string | undefined): number {
  const nano = time === undefined ? undefined : parseRfc3339Nano(time);
  return nano === undefined ? 0 : Number(nano / 1_000_000_000n);
}

/** `GET /images/{name}/history`, newest first. `layerSizesBytes` from the bottom, one per layer that is not empty. */
export function toHistory(view: ImageView, layerSizesBytes: readonly number[]): HistoryEntry[] {
  const history = view.config.history ?? layerSizesBytes.map(() => ({}));
  let layer = 0;
  const entries = history.map((entry: oci.ImageHistory): HistoryEntry => {
    const size = entry.empty_layer ? 0 : (layerSizesBytes[layer++] ?? 0);
    return {
      Id: '<missing>',
      Created: secondsOf(entry.created),
      CreatedBy: entry.created_by ?? '',
      Tags: null,
      Size: size,
      Comment: entry.comment ?? '',
    };
  });
  const newestFirst = entries.toReversed();
  const [top] = newestFirst;
  if (top) {
    top.Id = view.id;
    top.Tags = view.repoTags.length > 0 ? view.repoTags : null;
  }
  return newestFirst;
}
