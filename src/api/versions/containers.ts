import type { ContainerInspect, ContainerSummary, EndpointSettings } from '#spec';

const builtInNetworks = new Set(['default', 'bridge', 'host', 'none']);

/** Before 1.46 `HostConfig.Annotations` was not in container lists. */
export function dropAnnotationsBefore46(version: number, rows: ContainerSummary[]): ContainerSummary[] {
  if (version >= 46) return rows;
  return rows.map((row) => ({ ...row, HostConfig: { NetworkMode: row.HostConfig.NetworkMode } }));
}

/**
 * Before 1.45 the `Aliases` of an endpoint on a user-defined network held the container's short ID and host name too;
 * later these are in `DNSNames` only.
 */
function addAliasesBefore45(version: number, container: ContainerInspect): ContainerInspect {
  if (version >= 45) return container;
  const extra = [container.Id.slice(0, 12), container.Config.Hostname];
  const networks = Object.entries(container.NetworkSettings.Networks).map(
    ([name, endpoint]): [string, EndpointSettings] => {
      if (builtInNetworks.has(name)) return [name, endpoint];
      return [name, { ...endpoint, Aliases: [...new Set([...(endpoint.Aliases ?? []), ...extra])] }];
    },
  );
  const NetworkSettings = { ...container.NetworkSettings, Networks: Object.fromEntries(networks) };
  return { ...container, NetworkSettings };
}

/** `ImageManifestDescriptor` came with 1.48. */
function dropManifestDescriptorBefore48(version: number, container: ContainerInspect): ContainerInspect {
  if (version >= 48 || container.ImageManifestDescriptor === undefined) return container;
  const { ImageManifestDescriptor: _dropped, ...rest } = container;
  return rest;
}

/** A container as a client of this version expects it. */
export function inspectForVersion(version: number, container: ContainerInspect): ContainerInspect {
  return dropManifestDescriptorBefore48(version, addAliasesBefore45(version, container));
}
