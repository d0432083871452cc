import { EngineError, findEngineError } from '#errors';
import { familiarName, familiarReference, type ImageReference } from '#spec';

/** What a registry refused, told as `docker pull` tells it: with the name asked for. */
export function pullError(error: unknown, reference: ImageReference): unknown {
  const known = findEngineError(error);
  if (!known) return error;
  const { code, message } = known;
  const notFound = (text: string): EngineError =>
    new EngineError('notFound', code, `${text}: ${message}`, { cause: error });
  switch (code) {
    case 'MANIFEST_UNKNOWN':
      return notFound(`manifest for ${familiarReference(reference)} not found`);
    case 'NAME_UNKNOWN':
      return notFound(`repository ${familiarName(reference)} not found`);
    case 'DENIED':
      return notFound(
        `pull access denied for ${familiarName(reference)}, repository does not exist or may require 'docker login'`,
      );
    default:
      return withoutChallenge(error);
  }
}

/**
 * Where a registry wants credentials and none were given, Docker answers 500, not 401: to the latter its CLI would ask for
 * a password and try again.
 */
export function withoutChallenge(error: unknown): unknown {
  const known = findEngineError(error);
  if (known?.code !== 'NO_CREDENTIALS') return error;
  return new EngineError('internal', known.code, known.message, { cause: error });
}

export function noMatchingManifest(platform: string): EngineError {
  return new EngineError(
    'notFound',
    'NO_MATCHING_MANIFEST',
    `no matching manifest for ${platform} in the manifest list entries`,
  );
}

export function layersMismatch(): EngineError {
  return new EngineError('invalidArgument', 'LAYERS_MISMATCH', "layers from manifest don't match image configuration");
}

export function layerVerificationFailed(digest: string): EngineError {
  return new EngineError('dataLoss', 'LAYER_DIGEST', `filesystem layer verification failed for digest ${digest}`);
}

export function configVerificationFailed(digest: string): EngineError {
  return new EngineError(
    'dataLoss',
    'CONFIG_DIGEST',
    `error pulling image configuration: image config verification failed for digest ${digest}`,
  );
}

/** A layer that came whole and cannot be unpacked. */
export function registerFailed(error: unknown): unknown {
  const known = findEngineError(error);
  if (known?.kind === 'cancelled') return error;
  const text = known?.message ?? (error instanceof Error ? error.message : String(error));
  return new EngineError(
    known?.kind ?? 'internal',
    known?.code ?? 'REGISTER_LAYER',
    `failed to register layer: ${text}`,
    {
      cause: error,
    },
  );
}
