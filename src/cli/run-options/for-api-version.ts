import { type ApiClient, compareVersions } from '#client';
import { CliError } from '../framework/errors.ts';
import type { ContainerRequest } from './container-options.ts';
import type { GivenFlag } from './flags.ts';

const windowsFlags = ['cpu-count', 'cpu-percent', 'io-maxbandwidth', 'io-maxiops'] as const;

/** @throws {@link CliError} for flags that only mean something to a Windows daemon. */
export function refuseWindowsFlags(given: GivenFlag): void {
  const refused = windowsFlags.filter((name) => given(name));
  if (refused.length === 0) return;
  const only = 'is only supported on a Docker daemon running on windows, but the Docker daemon is running on linux';
  throw new CliError(refused.map((name) => `"--${name}" ${only}`).join('\n'));
}

/** Flags that mean nothing to older daemons: the API version they came with. */
const flagVersions = {
  annotation: '1.43',
  cgroupns: '1.41',
  gpus: '1.40',
  'health-start-interval': '1.44',
  'health-start-period': '1.29',
} as const;

/**
 * Refuses flags the daemon is too old for. Its version is asked for only if such a flag was given.
 *
 * @throws {@link CliError}
 */
export async function refuseNewFlags(given: GivenFlag, client: ApiClient): Promise<void> {
  const names = (Object.keys(flagVersions) as (keyof typeof flagVersions)[]).filter((name) => given(name));
  if (names.length === 0) return;
  const version = await client.negotiate();
  const refused = names.filter((name) => compareVersions(version, flagVersions[name]) < 0);
  if (refused.length === 0) return;
  const lines = refused.map((name) => {
    const needed = flagVersions[name];
    return `"--${name}" requires API version ${needed}, but the Docker daemon API version is ${version}`;
  });
  throw new CliError(lines.join('\n'));
}

/** Whether {@link forApiVersion} makes a difference, so that the daemon's version has to be asked for. */
export function dependsOnApiVersion({ config, hostConfig, networkingConfig }: ContainerRequest): boolean {
  return (
    config.MacAddress !== undefined ||
    hostConfig.KernelMemory !== undefined ||
    config.Healthcheck?.StartInterval !== undefined ||
    hasEndpointMac(networkingConfig) ||
    forcesRecursion(hostConfig)
  );
}

function hasEndpointMac({ EndpointsConfig }: ContainerRequest['networkingConfig']): boolean {
  return Object.values(EndpointsConfig).some((endpoint) => endpoint.MacAddress !== '');
}

function forcesRecursion({ Mounts }: ContainerRequest['hostConfig']): boolean {
  return Mounts?.some((mount) => mount.BindOptions?.ReadOnlyForceRecursive === true) === true;
}

/**
 * The request as a daemon of this API version takes it: members it no longer wants go, and what it does not know yet
 * is refused here.
 *
 * @throws {@link CliError}
 */
export function forApiVersion(request: ContainerRequest, version: string): ContainerRequest {
  const { MacAddress: _mac, ...config } = request.config;
  const { KernelMemory: _kernelMemory, ...hostConfig } = request.hostConfig;
  const before = (other: string): boolean => compareVersions(version, other) < 0;
  if (before('1.44')) refuseNewOptions(request, version);
  return {
    ...request,
    // From 1.44 on the address belongs to the endpoint.
    config: before('1.44') ? request.config : config,
    hostConfig: before('1.42') ? request.hostConfig : hostConfig,
  };
}

function refuseNewOptions({ config, hostConfig, networkingConfig }: ContainerRequest, version: string): void {
  const needs = (what: string): CliError =>
    new CliError(`"${what}" requires API version 1.44, but the Docker daemon API version is ${version}`);
  if (config.Healthcheck?.StartInterval !== undefined) throw needs('specify health-check start interval');
  if (hasEndpointMac(networkingConfig)) throw needs('specify mac-address per network');
  if (forcesRecursion(hostConfig)) {
    throw new CliError('bind-recursive=readonly requires API v1.44 or later');
  }
}
