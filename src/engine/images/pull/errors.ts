import { EngineError, findEngineError } from '#errors';

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
  return new EngineError('dataLoss', 'CONFIG_DIGEST', `image config verification failed for digest ${digest}`);
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
