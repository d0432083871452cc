import { compareVersions } from '#client';
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
  if (Object.values(networkingConfig.EndpointsConfig).some((endpoint) => endpoint.MacAddress !== '')) {
    throw needs('specify mac-address per network');
  }
  if (hostConfig.Mounts?.some((mount) => mount.BindOptions?.ReadOnlyForceRecursive === true) === true) {
    throw new CliError('bind-recursive=readonly requires API v1.44 or later');
  }
}
