import { EngineError } from '#errors';
import { formatPlatform, type oci } from '#spec';

/** The first 12 digits, as Docker's messages show IDs. */
export function shortId(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, 12);
}

export function noSuchImage(ref: string): EngineError {
  return new EngineError('notFound', 'NO_SUCH_IMAGE', `No such image: ${ref}`, { details: { ref } });
}

export function platformMismatch(ref: string, actual: string, wanted: string): EngineError {
  return new EngineError(
    'notFound',
    'IMAGE_PLATFORM_MISMATCH',
    `image with reference ${ref} was found but its platform (${actual}) does not match the specified platform (${wanted})`,
  );
}

/** An index has no image for the platform, or not here. */
export function platformNotProvided(ref: string, wanted: oci.Platform): EngineError {
  return new EngineError(
    'notFound',
    'IMAGE_PLATFORM_NOT_PROVIDED',
    `image with reference ${ref} was found but does not provide the specified platform (${formatPlatform(wanted)})`,
  );
}

/** Removing the last name of an image that a container came from. */
export function referenceInUse(ref: string, containerId: string, imageId: string): EngineError {
  return new EngineError(
    'conflict',
    'IMAGE_REFERENCE_IN_USE',
    `conflict: unable to remove repository reference "${ref}" (must force) - container ${shortId(containerId)} is using its referenced image ${shortId(imageId)}`,
  );
}

/** Why an image cannot go; `hard` ones not even by force. */
export interface DeleteConflict {
  hard: boolean;
  /** A container is why. */
  used: boolean;
  message: string;
}

export function cannotDelete(imageId: string, conflict: DeleteConflict): EngineError {
  const force = conflict.hard ? 'cannot be forced' : 'must be forced';
  return new EngineError(
    'conflict',
    'IMAGE_IN_USE',
    `conflict: unable to delete ${shortId(imageId)} (${force}) - ${conflict.message}`,
  );
}

/** The archive is not what `load` reads, or is broken. */
export function invalidImageArchive(message: string, cause?: unknown): EngineError {
  return new EngineError('invalidArgument', 'INVALID_IMAGE_ARCHIVE', message, { cause });
}
