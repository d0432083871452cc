import { EngineError } from '#errors';
import { INDEX_TYPES, MANIFEST_TYPES, MEDIA_TYPE } from '../protocol/media-types.ts';

/** What manifests are asked with. Schema 1 is not among them: a registry that could make one of it shall not. */
export const MANIFEST_ACCEPT: string = [...MANIFEST_TYPES, ...INDEX_TYPES].join(', ');

const schema1Types: readonly string[] = [MEDIA_TYPE.dockerSchema1, MEDIA_TYPE.dockerSchema1Signed];

function invalid(code: string, message: string): EngineError {
  return new EngineError('invalidArgument', code, message);
}

function schema1Error(reference: string): EngineError {
  return invalid(
    'SCHEMA1_MANIFEST',
    'Docker Image Format v1 and Docker Image manifest version 2, schema 1 support has been removed. ' +
      `Suggest the author of ${reference} to upgrade the image to the OCI Format or Docker Image manifest v2, schema 2. ` +
      'More information at https://docs.docker.com/go/deprecated-image-specs/',
  );
}

/**
 * The media type of a manifest: what its bytes say of themselves counts, then the `Content-Type` where its shape agrees, then its shape.
 *
 * @param reference - named in the message about schema 1.
 * @throws {@link EngineError} invalidArgument with Docker's texts: schema 1, unknown types, shapes that contradict their type.
 */
export function manifestMediaType(bytes: Buffer, contentType: string | undefined, reference: string): string {
  const manifest = parseObject(bytes);
  const has = (name: string): boolean => manifest[name] !== undefined && manifest[name] !== null;
  const header = (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const said = typeof manifest['mediaType'] === 'string' ? manifest['mediaType'] : '';
  if (schema1Types.includes(said) || (said === '' && (has('fsLayers') || manifest['schemaVersion'] === 1))) {
    throw schema1Error(reference);
  }
  if (said !== '') return checked(said, has);
  const shape = shapeOf(has);
  const headerShape = MANIFEST_TYPES.includes(header) ? 'manifest' : INDEX_TYPES.includes(header) ? 'index' : undefined;
  if (headerShape === shape) return header;
  return shape === 'manifest' ? MEDIA_TYPE.ociManifest : MEDIA_TYPE.ociIndex;
}

function checked(type: string, has: (name: string) => boolean): string {
  if (MANIFEST_TYPES.includes(type)) {
    if (has('manifests') || has('fsLayers')) {
      throw invalid('INVALID_MANIFEST', `media-type: "${type}" should not have "manifests" or "fsLayers"`);
    }
    return type;
  }
  if (INDEX_TYPES.includes(type)) {
    if (has('config') || has('layers') || has('fsLayers')) {
      throw invalid('INVALID_MANIFEST', `media-type: "${type}" should not have "config", "layers", or "fsLayers"`);
    }
    return type;
  }
  throw invalid('UNSUPPORTED_MEDIA_TYPE', `unsupported media type ${type}`);
}

function shapeOf(has: (name: string) => boolean): 'manifest' | 'index' {
  const isManifest = has('config') || has('layers');
  if (isManifest && !has('manifests')) return 'manifest';
  if (!isManifest) return 'index';
  throw invalid('INVALID_MANIFEST', 'media-type: cannot determine');
}

function parseObject(bytes: Buffer): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new EngineError('invalidArgument', 'INVALID_MANIFEST', 'unsupported manifest format', { cause: error });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid('INVALID_MANIFEST', 'unsupported manifest format');
  }
  return value as Record<string, unknown>;
}
