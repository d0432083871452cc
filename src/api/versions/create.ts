import { EngineError } from '#errors';
import {
  emptyEndpointSettings,
  type ContainerCreateRequest,
  type EndpointSettings,
  type HostConfig,
  type Mount,
  type NetworkingConfig,
} from '#spec';

function invalid(message: string): EngineError {
  return new EngineError('invalidArgument', 'INVALID_FOR_VERSION', message);
}

/** `default` names the default network on every system; past the edge it is called `bridge`. */
function nameDefaultNetwork({ hostConfig, networkingConfig }: ContainerCreateRequest): void {
  if (hostConfig.NetworkMode !== '' && hostConfig.NetworkMode !== 'default') return;
  hostConfig.NetworkMode = 'bridge';
  const endpoint = networkingConfig.EndpointsConfig['default'];
  if (!endpoint) return;
  delete networkingConfig.EndpointsConfig['default'];
  networkingConfig.EndpointsConfig['bridge'] = endpoint;
}

/** Before 1.40 containers shared their IPC namespace unless told otherwise, and binds were always recursive. */
function applyDefaultsBefore40(version: number, hostConfig: HostConfig): void {
  if (version >= 40) return;
  if (hostConfig.IpcMode === '') hostConfig.IpcMode = 'shareable';
  for (const { BindOptions } of hostConfig.Mounts ?? []) if (BindOptions) delete BindOptions.NonRecursive;
}

/**
 * Before 1.42 options of another mount type were ignored, as were `CreateMountpoint` and the console's size; from then on
 * such options are refused.
 */
function checkMountOptionsSince42(version: number, hostConfig: HostConfig): void {
  if (version < 42) hostConfig.ConsoleSize = [0, 0];
  for (const mount of hostConfig.Mounts ?? []) {
    if (version < 42) {
      if (mount.Type !== 'volume') delete mount.VolumeOptions;
      if (mount.Type !== 'tmpfs') delete mount.TmpfsOptions;
      if (mount.BindOptions) delete mount.BindOptions.CreateMountpoint;
    } else refuseForeignOptions(mount);
  }
}

function refuseForeignOptions(mount: Mount): void {
  const owners = { VolumeOptions: 'volume', BindOptions: 'bind', TmpfsOptions: 'tmpfs' } as const;
  for (const option of ['VolumeOptions', 'BindOptions', 'TmpfsOptions'] as const) {
    if (mount[option] !== undefined && mount.Type !== owners[option]) {
      throw invalid(`${option} must not be specified on mount type ${JSON.stringify(mount.Type)}`);
    }
  }
}

/** `Annotations` came with 1.43. */
function dropAnnotationsBefore43(version: number, hostConfig: HostConfig): void {
  if (version < 43) delete hostConfig.Annotations;
}

/**
 * With 1.44 came several networks at creation, health start intervals, and recursively read-only binds: before, read-only
 * stopped at the mount itself.
 */
function applyLimitsBefore44(version: number, request: ContainerCreateRequest): void {
  if (version >= 44) return;
  if (request.config.Healthcheck) delete request.config.Healthcheck.StartInterval;
  for (const mount of request.hostConfig.Mounts ?? []) {
    if (mount.Type !== 'bind') continue;
    if (mount.BindOptions?.ReadOnlyForceRecursive === true) {
      throw invalid('BindOptions.ReadOnlyForceRecursive needs API v1.44 or newer');
    }
    if (mount.ReadOnly === true) mount.BindOptions = { ...mount.BindOptions, ReadOnlyNonRecursive: true };
  }
  const networks = Object.keys(request.networkingConfig.EndpointsConfig);
  if (networks.length > 1) {
    throw invalid(`Container cannot be created with multiple network endpoints: ${networks.join(', ')}`);
  }
}

/** `VolumeOptions.Subpath` came with 1.45. */
function refuseSubpathBefore45(version: number, hostConfig: HostConfig): void {
  if (version >= 45) return;
  if (hostConfig.Mounts?.some((mount) => (mount.VolumeOptions?.Subpath ?? '') !== '') === true) {
    throw invalid('VolumeOptions.Subpath needs API v1.45 or newer');
  }
}

/** Image mounts and gateway priorities came with 1.48. */
function applyLimitsBefore48(version: number, { hostConfig, networkingConfig }: ContainerCreateRequest): void {
  if (version >= 48) return;
  for (const endpoint of Object.values(networkingConfig.EndpointsConfig)) endpoint.GwPriority = 0;
  if (hostConfig.Mounts?.some((mount) => mount.Type === 'image') === true) {
    throw invalid('Mount type "Image" needs API v1.48 or newer');
  }
}

/** Since 1.48 the daemon, not the client, warns that `VolumeDriver` is without effect on mounts. */
function warnOfVolumeDriverSince48(version: number, hostConfig: HostConfig): string[] {
  if (hostConfig.VolumeDriver === '' || version < 48) return [];
  const ignored = hostConfig.Mounts?.some(
    (mount) => mount.Type === 'volume' && (mount.VolumeOptions?.DriverConfig?.Name ?? '') === '',
  );
  if (ignored !== true) return [];
  return [
    "WARNING: the container-wide volume-driver configuration is ignored for volumes specified via 'mount'. Use '--mount type=volume,volume-driver=...' instead",
  ];
}

/** The endpoint that container-wide network settings are meant for. */
function mainEndpoint(version: number, networkMode: string, { EndpointsConfig }: NetworkingConfig): EndpointSettings {
  const given = Object.values(EndpointsConfig);
  if (given.length === 0) return (EndpointsConfig[networkMode] = emptyEndpointSettings());
  const endpoint = version < 44 ? given[0] : EndpointsConfig[networkMode];
  if (endpoint) return endpoint;
  throw invalid(
    'unable to migrate container-wide MAC address to a specific network: HostConfig.NetworkMode must match the identity of a network in NetworkSettings.Networks',
  );
}

/** Since 1.44 a MAC address belongs to an endpoint; the container-wide one moves to the main endpoint, with a warning. */
function moveMacAddress(version: number, request: ContainerCreateRequest): string[] {
  const { config, hostConfig, networkingConfig } = request;
  const address = config.MacAddress ?? '';
  const mode = hostConfig.NetworkMode;
  const hasEndpoint = mode !== 'host' && mode !== 'none' && !mode.startsWith('container:');
  if (version < 44) {
    // The endpoint's own address was ignored then.
    for (const endpoint of Object.values(networkingConfig.EndpointsConfig)) endpoint.MacAddress = '';
  }
  if (address === '') return [];
  if (hasEndpoint) {
    const endpoint = mainEndpoint(version, mode, networkingConfig);
    if (endpoint.MacAddress === '') endpoint.MacAddress = address;
    else if (endpoint.MacAddress !== address) {
      throw invalid(
        'the container-wide MAC address must match the endpoint-specific MAC address for the main network, or be left empty',
      );
    }
  }
  if (version < 44) return [];
  return ['The container-wide MacAddress field is now deprecated. It should be specified in EndpointsConfig instead.'];
}

/** Limits of zero and below have always meant "unlimited". */
function dropUnlimitedPids(hostConfig: HostConfig): void {
  if (hostConfig.PidsLimit !== null && hostConfig.PidsLimit <= 0) hostConfig.PidsLimit = null;
}

/**
 * Brings a create request of any version to what it means today, in place.
 *
 * @returns warnings for the client.
 * @throws {@link EngineError} invalidArgument when it asks for what its version did not have.
 */
export function upgradeCreateRequest(version: number, request: ContainerCreateRequest): string[] {
  const { hostConfig } = request;
  nameDefaultNetwork(request);
  applyDefaultsBefore40(version, hostConfig);
  checkMountOptionsSince42(version, hostConfig);
  dropAnnotationsBefore43(version, hostConfig);
  applyLimitsBefore44(version, request);
  refuseSubpathBefore45(version, hostConfig);
  applyLimitsBefore48(version, request);
  const warnings = [...warnOfVolumeDriverSince48(version, hostConfig), ...moveMacAddress(version, request)];
  dropUnlimitedPids(hostConfig);
  return warnings;
}
