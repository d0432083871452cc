import { EngineError } from '#errors';
import type { RemoteRepository } from '#registry';
import { familiarReference, withDefaultTag, type Digest, type ImageReference, type oci } from '#spec';
import { decodeImageConfig } from '../images/image-config.ts';
import { decodeManifest, type BlobEntry } from '../images/pull/manifest.ts';

/** `GET /distribution/{name}/json`. */
export interface DistributionInspect {
  Descriptor: { mediaType: string; digest: Digest; size: number };
  Platforms: oci.Platform[];
}

async function readPlatform(
  repository: RemoteRepository,
  config: BlobEntry,
  signal: AbortSignal,
): Promise<oci.Platform> {
  const bytes = Buffer.concat(await Array.fromAsync(repository.readBlob(config, { signal })));
  const { architecture, os, variant, ...rest } = decodeImageConfig(bytes);
  const version = rest['os.version'];
  return {
    architecture,
    os,
    ...(version === undefined ? {} : { 'os.version': version }),
    ...(variant === undefined ? {} : { variant }),
  };
}

/** What the registry has under a tag or digest, without taking it. */
export async function inspectDistribution(
  repository: RemoteRepository,
  name: ImageReference,
  signal: AbortSignal,
): Promise<DistributionInspect> {
  const reference = withDefaultTag(name);
  const wanted = reference.digest ?? reference.tag;
  if (wanted === undefined)
    throw new EngineError('invalidArgument', 'INVALID_REFERENCE', 'unknown image reference format');
  const manifest = await repository.getManifest(wanted, { signal });
  const content = decodeManifest(manifest.bytes, manifest.mediaType, familiarReference(reference));
  const platforms =
    content.kind === 'image'
      ? [await readPlatform(repository, content.config, signal)]
      : content.entries.flatMap((entry) => entry.platform ?? []);
  return {
    Descriptor: { mediaType: manifest.mediaType, digest: manifest.digest, size: manifest.bytes.byteLength },
    Platforms: platforms,
  };
}
