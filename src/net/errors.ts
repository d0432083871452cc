import { isIPv6 } from 'node:net';
import { EngineError } from '#errors';
import type { PublishedPort } from './contract.ts';

/** Docker's texts, which clients look at. */

export function noSuchNetwork(ref: string): EngineError {
  return new EngineError('notFound', 'NO_SUCH_NETWORK', `network ${ref} not found`);
}

export function ambiguousNetwork(ref: string, matches: number): EngineError {
  return new EngineError(
    'invalidArgument',
    'AMBIGUOUS_NETWORK',
    `network ${ref} is ambiguous (${matches} matches found based on ID prefix)`,
  );
}

export function networkNameInUse(name: string): EngineError {
  return new EngineError('conflict', 'NETWORK_NAME_IN_USE', `network with name ${name} already exists`);
}

export function predefinedNotCreated(name: string): EngineError {
  return new EngineError('forbidden', 'PREDEFINED_NETWORK', `operation is not permitted on predefined ${name} network`);
}

export function predefinedNotRemoved(name: string): EngineError {
  return new EngineError('forbidden', 'PREDEFINED_NETWORK', `${name} is a pre-defined network and cannot be removed`);
}

export function activeEndpoints(name: string, id: string): EngineError {
  return new EngineError(
    'forbidden',
    'NETWORK_IN_USE',
    `error while removing network: network ${name} id ${id} has active endpoints`,
  );
}

export function poolOverlaps(): EngineError {
  return new EngineError(
    'forbidden',
    'NETWORK_OVERLAPS',
    'invalid pool request: Pool overlaps with other one on this address space',
  );
}

export function invalidNetworkConfig(problems: readonly string[]): EngineError {
  return new EngineError(
    'invalidArgument',
    'INVALID_NETWORK_CONFIG',
    `invalid network config:\n${problems.join('\n')}`,
  );
}

export function pluginNotFound(name: string): EngineError {
  return new EngineError('notFound', 'NO_SUCH_PLUGIN', `plugin ${JSON.stringify(name)} not found`);
}

export function invalidNetwork(message: string): EngineError {
  return new EngineError('invalidArgument', 'INVALID_NETWORK', message);
}

export function networkNotImplemented(what: string): EngineError {
  return new EngineError('notImplemented', 'NETWORK_NOT_IMPLEMENTED', `${what}: not implemented yet`);
}

export function addressInUse(): EngineError {
  return new EngineError('forbidden', 'ADDRESS_IN_USE', 'Address already in use');
}

export function addressOutside(address: string): EngineError {
  return new EngineError(
    'invalidArgument',
    'ADDRESS_OUTSIDE_NETWORK',
    `invalid endpoint settings:\nno configured subnet contains IP address ${address}`,
  );
}

export function noAddressLeft(name: string, id: string): EngineError {
  return new EngineError(
    'unavailable',
    'NETWORK_NO_ADDRESS',
    `no available IPv4 addresses on this network's address pools: ${name} (${id})`,
  );
}

export function endpointExists(name: string, networkName: string): EngineError {
  return new EngineError(
    'forbidden',
    'ENDPOINT_EXISTS',
    `endpoint with name ${name} already exists in network ${networkName}`,
  );
}

export function interfaceNameInUse(name: string): EngineError {
  return new EngineError('invalidArgument', 'INTERFACE_NAME_IN_USE', `interface name ${name} is already in use`);
}

/** @param endpoint - named after its container. */
export function portsNotPublished(endpoint: { name: string; id: string }, cause: unknown): EngineError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new EngineError(
    'internal',
    'PORTS_NOT_PUBLISHED',
    `failed to set up container networking: driver failed programming external connectivity on endpoint ${endpoint.name} (${endpoint.id}): ${reason}`,
    { cause },
  );
}

export function portAllocated(address: string, port: number): EngineError {
  return new EngineError('conflict', 'PORT_ALLOCATED', `Bind for ${address}:${port} failed: port is already allocated`);
}

export function allPortsAllocated(): EngineError {
  return new EngineError('conflict', 'PORTS_ALLOCATED', 'all ports are allocated');
}

/** As Go names them. */
const bindProblems: Readonly<Record<string, string>> = {
  EADDRINUSE: 'address already in use',
  EADDRNOTAVAIL: 'cannot assign requested address',
  EACCES: 'permission denied',
  EPROTONOSUPPORT: 'protocol not supported',
};

/** Somebody else on the host has the port, or the host has not the address. */
export function portNotBound(port: PublishedPort, containerAddress: string, cause: unknown): EngineError {
  const { hostAddress, hostPort, containerPort, protocol } = port;
  const errno = cause instanceof EngineError ? String(cause.details['errno']) : '';
  const reason = bindProblems[errno] ?? (cause instanceof Error ? cause.message : String(cause));
  const host = isIPv6(hostAddress) ? `[${hostAddress}]` : hostAddress;
  const what = `${host}:${hostPort}:${containerAddress}:${containerPort}/${protocol}`;
  return new EngineError('conflict', 'PORT_NOT_BOUND', `failed to bind host port for ${what}: ${reason}`, { cause });
}

export function proxyWithoutSctp(): EngineError {
  return new EngineError(
    'notImplemented',
    'SCTP_NOT_PROXIED',
    'sctp ports are led to containers by the kernel alone: not from IPv6, nor without firewall rules',
  );
}
