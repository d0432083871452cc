import { EngineError } from '#errors';

export function noSuchContainer(ref: string): EngineError {
  return new EngineError('notFound', 'NO_SUCH_CONTAINER', `No such container: ${ref}`, { details: { ref } });
}

export function ambiguousContainer(prefix: string): EngineError {
  return new EngineError(
    'invalidArgument',
    'AMBIGUOUS_CONTAINER_ID',
    `multiple IDs found with provided prefix: ${prefix}`,
  );
}

export function nameInUse(name: string, id: string): EngineError {
  return new EngineError(
    'conflict',
    'CONTAINER_NAME_IN_USE',
    `Conflict. The container name "/${name}" is already in use by container "${id}". You have to remove (or rename) that container to be able to reuse that name.`,
    { details: { name, id } },
  );
}

export function invalidName(name: string): EngineError {
  return new EngineError(
    'invalidArgument',
    'INVALID_CONTAINER_NAME',
    `Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
  );
}

export function notRunning(id: string): EngineError {
  return new EngineError('conflict', 'CONTAINER_NOT_RUNNING', `container ${id} is not running`, { details: { id } });
}

export function isPaused(id: string): EngineError {
  return new EngineError(
    'conflict',
    'CONTAINER_PAUSED',
    `Container ${id} is paused, unpause the container before exec`,
    { details: { id } },
  );
}

export function isRestarting(id: string): EngineError {
  return new EngineError(
    'conflict',
    'CONTAINER_RESTARTING',
    `Container ${id} is restarting, wait until the container is running`,
    { details: { id } },
  );
}

export function removalInProgress(ref: string): EngineError {
  return new EngineError('conflict', 'REMOVAL_IN_PROGRESS', `removal of container ${ref} is already in progress`);
}
