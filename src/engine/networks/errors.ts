import { EngineError } from '#errors';

export function networkNotImplemented(what: string): EngineError {
  return new EngineError('notImplemented', 'NETWORK_NOT_IMPLEMENTED', `${what}: not implemented yet`);
}

export function invalidNetworkFilter(message: string): EngineError {
  return new EngineError('invalidArgument', 'INVALID_FILTER', message);
}

/** Texts of dockerd for what cannot be connected, or is not. */

export function sharesNamespace(): EngineError {
  return new EngineError(
    'invalidArgument',
    'SHARES_NETWORK',
    'container sharing network namespace with another container or host cannot be connected to any other network',
  );
}

export function notOntoHost(): EngineError {
  return new EngineError(
    'invalidArgument',
    'HOST_NETWORK',
    'cannot connect container to host network - container must be created in host network mode',
  );
}

export function notOffHost(): EngineError {
  return new EngineError(
    'invalidArgument',
    'HOST_NETWORK',
    'cannot disconnect container from host network - container was created in host network mode',
  );
}

export function noneIsAlone(): EngineError {
  return new EngineError(
    'invalidArgument',
    'PRIVATE_NETWORK',
    'container cannot be connected to multiple networks with one of the networks in private (none) mode',
  );
}

export function notConnected(containerId: string, networkName: string, live: boolean): EngineError {
  const network = live ? `network ${networkName}` : `the network ${networkName}`;
  return new EngineError('internal', 'NOT_CONNECTED', `container ${containerId} is not connected to ${network}`);
}

export function markedForRemoval(containerId: string): EngineError {
  return new EngineError(
    'conflict',
    'CONTAINER_REMOVING',
    `Container ${containerId} is marked for removal and cannot be connected or disconnected to the network`,
  );
}
