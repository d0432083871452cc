import { EngineError } from '#errors';
import type { Volume } from './volume-rows.ts';

/** Docker's error for a failed operation on a volume: what was tried on what, then why it failed. */
export function volumeFailure(
  operation: 'create' | 'remove' | 'list' | 'get',
  name: string,
  cause: unknown,
): EngineError {
  const known = cause instanceof EngineError ? cause : undefined;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new EngineError(known?.kind ?? 'internal', known?.code ?? 'VOLUME_FAILED', `${operation} ${name}: ${reason}`, {
    cause,
  });
}

export function noSuchVolume(name: string): EngineError {
  return new EngineError('notFound', 'NO_SUCH_VOLUME', `get ${name}: no such volume`);
}

/** A volume of that name exists, of another driver. */
export function conflictingDriver({ name, driver }: Volume): EngineError {
  return new EngineError(
    'conflict',
    'VOLUME_NAME_TAKEN',
    `driver '${driver}' already has volume '${name}': volume name must be unique`,
  );
}

export function volumeInUse(name: string, users: readonly string[]): EngineError {
  return new EngineError('conflict', 'VOLUME_IN_USE', `remove ${name}: volume is in use - [${users.join(', ')}]`);
}
