import { EngineError } from '#errors';
import type {
  ContainerConfig,
  ContainerCreateRequest,
  ExecCreateRequest,
  HostConfig,
  NetworkConnectRequest,
  NetworkCreateRequest,
  NetworkDisconnectRequest,
  NetworkingConfig,
  NetworkIpamConfig,
  VolumeCreateRequest,
} from '#spec';
import { containerConfig } from './container-config.ts';
import {
  decodeDocument,
  flag,
  list,
  map,
  nullable,
  optional,
  pair,
  integer,
  struct,
  text,
  wrongType,
} from './go-json.ts';
import { hostConfig } from './host-config.ts';
import { endpointSettings, networkingConfig } from './networking-config.ts';

const beside = struct<{ HostConfig: HostConfig; NetworkingConfig: NetworkingConfig }>({
  HostConfig: hostConfig,
  NetworkingConfig: networkingConfig,
});

function emptyConfig(): EngineError {
  return new EngineError('invalidArgument', 'EMPTY_CONFIG', 'config cannot be empty in order to create a container');
}

function hasConfig(body: object): boolean {
  return Object.entries(body).some(([name, value]) => value !== null && containerConfig.has(name));
}

/** Body of `POST /containers/create`. @throws invalidArgument when nothing of a config is in it. */
export function decodeContainerCreate(body: unknown): ContainerCreateRequest {
  if (body === undefined) {
    throw new EngineError('invalidArgument', 'INVALID_JSON', 'invalid JSON: got EOF while reading request body');
  }
  if (body === null) throw emptyConfig();
  if (typeof body !== 'object' || Array.isArray(body)) throw wrongType(body, '', 'container.CreateRequest');
  if (!hasConfig(body)) throw emptyConfig();
  const { HostConfig, NetworkingConfig } = decodeDocument(beside, body);
  return {
    config: decodeDocument(containerConfig, body),
    hostConfig: HostConfig,
    networkingConfig: NetworkingConfig,
  };
}

const execCreate = struct<ExecCreateRequest>({
  User: text(),
  Privileged: flag(),
  Tty: flag(),
  ConsoleSize: optional(pair(integer('uint'))),
  AttachStdin: flag(),
  AttachStdout: flag(),
  AttachStderr: flag(),
  Detach: flag(),
  DetachKeys: text(),
  Env: list(text()),
  WorkingDir: text(),
  Cmd: list(text()),
});

/** Body of `POST /containers/{id}/exec`. @throws invalidArgument without a command. */
export function decodeExecCreate(body: unknown): ExecCreateRequest {
  const request = decodeDocument(execCreate, body);
  if (request.Cmd === null || request.Cmd.length === 0) {
    throw new EngineError('invalidArgument', 'NO_EXEC_COMMAND', 'No exec command specified');
  }
  return request;
}

/** Body of `POST /exec/{id}/start`. */
export interface ExecStartRequest {
  Detach: boolean;
  Tty: boolean;
  ConsoleSize?: [number, number];
}

const execStart = struct<ExecStartRequest>({
  Detach: flag(),
  Tty: flag(),
  ConsoleSize: optional(pair(integer('uint'))),
});

export function decodeExecStart(body: unknown): ExecStartRequest {
  return decodeDocument(execStart, body);
}

/** Body of `POST /containers/{id}/update`: the resources and restart policy of a host config; zero leaves as it is. */
export function decodeUpdate(body: unknown): HostConfig {
  return decodeDocument(hostConfig, body);
}

/** Body of `POST /commit`; undefined when the client overrides nothing. */
export function decodeCommit(body: unknown): ContainerConfig | undefined {
  if (body === undefined || body === null) return undefined;
  if (typeof body !== 'object' || Array.isArray(body)) throw wrongType(body, '', 'container.Config');
  return hasConfig(body) ? decodeDocument(containerConfig, body) : undefined;
}

const volumeCreate = struct<VolumeCreateRequest>({
  Name: text(),
  Driver: text(),
  DriverOpts: map(text()),
  Labels: map(text()),
});

/** Body of `POST /volumes/create`; none is the same as an empty object. */
export function decodeVolumeCreate(body: unknown): VolumeCreateRequest {
  return decodeDocument(volumeCreate, body ?? {});
}

const ipamConfig = struct<NetworkIpamConfig>({
  Subnet: optional(text()),
  IPRange: optional(text()),
  Gateway: optional(text()),
  AuxiliaryAddresses: optional(map(text())),
});

const networkCreate = struct<NetworkCreateRequest>({
  Name: text(),
  Driver: text(),
  Scope: text(),
  EnableIPv4: optional(flag()),
  EnableIPv6: optional(flag()),
  IPAM: nullable(
    struct<NonNullable<NetworkCreateRequest['IPAM']>>({
      Driver: text(),
      Options: map(text()),
      Config: list(ipamConfig),
    }),
  ),
  Internal: flag(),
  Attachable: flag(),
  Ingress: flag(),
  ConfigOnly: flag(),
  ConfigFrom: nullable(struct<{ Network: string }>({ Network: text() })),
  Options: map(text()),
  Labels: map(text()),
});

/** Body of `POST /networks/create`. */
export function decodeNetworkCreate(body: unknown): NetworkCreateRequest {
  return decodeDocument(networkCreate, body);
}

const networkConnect = struct<NetworkConnectRequest>({ Container: text(), EndpointConfig: nullable(endpointSettings) });

/** Body of `POST /networks/{id}/connect`. */
export function decodeNetworkConnect(body: unknown): NetworkConnectRequest {
  return decodeDocument(networkConnect, body);
}

const networkDisconnect = struct<NetworkDisconnectRequest>({ Container: text(), Force: flag() });

/** Body of `POST /networks/{id}/disconnect`. */
export function decodeNetworkDisconnect(body: unknown): NetworkDisconnectRequest {
  return decodeDocument(networkDisconnect, body);
}
