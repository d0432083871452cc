import { MEDIA_TYPE } from '#registry';
import { formatReference, type ImageReference, type oci, parseReference, repositoryName, withDefaultTag } from '#spec';
import { CliError } from '../../framework/index.ts';
import type { ListedManifest } from './manifest-store.ts';

/** A name as the `manifest` commands take it: with a tag, unless it has a digest. */
export function parseName(text: string): ImageReference {
  return withDefaultTag(parseReference(text));
}

/**
 * The list of these images as it is pushed to a repository: an OCI index if its first manifest is OCI's, else Docker's list.
 *
 * @throws CliError when an image is on another registry.
 */
export function toManifestList(target: ImageReference, images: readonly ListedManifest[]): oci.Index {
  const isOci = images[0]?.Descriptor.mediaType === MEDIA_TYPE.ociManifest;
  return {
    schemaVersion: 2,
    mediaType: isOci ? MEDIA_TYPE.ociIndex : MEDIA_TYPE.dockerList,
    manifests: images.map((image) => toDescriptor(target, image)),
  };
}

function toDescriptor(target: ImageReference, { Ref, Descriptor }: ListedManifest): oci.Descriptor {
  const { domain } = parseReference(Ref);
  if (domain !== target.domain) {
    throw new CliError(
      `cannot use source images from a different registry than the target image: ${domain} != ${target.domain}`,
    );
  }
  const { mediaType, size, digest, platform } = Descriptor;
  return { mediaType, size, digest, platform: platform ?? { architecture: '', os: '' } };
}

/** @throws CliError with Docker's text for an image whose platform is not known. */
export function checkPlatforms(images: readonly ListedManifest[]): void {
  for (const { Ref, Descriptor } of images) {
    if (Descriptor.platform?.os && Descriptor.platform.architecture) continue;
    throw new CliError(`manifest ${Ref} must have an OS and Architecture to be pushed to a registry`);
  }
}

/** The text that is shown, and whose bytes are pushed. */
export function formatManifestList(list: oci.Index): string {
  return JSON.stringify(list, undefined, 3);
}

/** Whether an image must be copied (or mounted) before the list can name it. */
export function isElsewhere(target: ImageReference, { Ref }: ListedManifest): boolean {
  return repositoryName(parseReference(Ref)) !== repositoryName(target);
}

/** The blobs of an image, configuration first. */
export function blobsOf(image: ListedManifest): oci.Descriptor[] {
  const manifest = image.SchemaV2Manifest ?? image.OCIManifest;
  if (!manifest) throw new CliError(`${image.Ref} has no payload`);
  return [manifest.config, ...manifest.layers.filter((layer) => (layer.urls ?? []).length === 0)];
}

/** The manifest as it came. */
export function bytesOf(image: ListedManifest): Buffer {
  if (image.Raw !== undefined) return Buffer.from(image.Raw, 'base64');
  throw new CliError(`${image.Ref} was listed without its manifest; remove the list and create it again`);
}

/** Where an image of the list is put beside it: by digest in the list's repository. */
export function pushedName(target: ImageReference, image: ListedManifest): string {
  return formatReference({ domain: target.domain, path: target.path, digest: image.Descriptor.digest });
}
