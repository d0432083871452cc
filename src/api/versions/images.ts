import { ZERO_TIME } from '#lib';
import type { ImageInspect, ImageSummary } from '#spec';

/** Before 1.43 an image without names was listed as `<none>:<none>`. */
function nameNoneBefore43(version: number, row: ImageSummary): ImageSummary {
  if (version >= 43 || row.RepoTags.length > 0 || row.RepoDigests.length > 0) return row;
  return { ...row, RepoTags: ['<none>:<none>'], RepoDigests: ['<none>@<none>'] };
}

/** `VirtualSize` went with 1.44; it had long been the same as `Size`. */
function addVirtualSizeBefore44<T extends { Size: number }>(version: number, image: T): T & { VirtualSize?: number } {
  return version >= 44 ? image : { ...image, VirtualSize: image.Size };
}

/** `Descriptor` came with 1.48. */
function dropDescriptorBefore48<T extends object>(version: number, image: T): T {
  if (version >= 48 || !('Descriptor' in image)) return image;
  const copy = { ...image };
  delete copy.Descriptor;
  return copy;
}

/** Before 1.51 lists did not count an image's containers. */
function hideContainersBefore51(version: number, row: ImageSummary): ImageSummary {
  return version >= 51 ? row : { ...row, Containers: -1 };
}

/** Rows of an image list as a client of this version expects them. */
export function listForVersion(version: number, rows: ImageSummary[]): ImageSummary[] {
  if (version >= 51) return rows;
  return rows.map((row) =>
    addVirtualSizeBefore44(
      version,
      dropDescriptorBefore48(version, hideContainersBefore51(version, nameNoneBefore43(version, row))),
    ),
  );
}

/** Before 1.44 an unknown time of creation was sent as Go's zero time. */
function fillCreatedBefore44(version: number, image: ImageInspect): ImageInspect {
  return version >= 44 || (image.Created ?? '') !== '' ? image : { ...image, Created: ZERO_TIME };
}

/** Until 1.44 the answer named the container the image was committed from, and its config. */
function addContainerBefore45(version: number, image: ImageInspect): ImageInspect {
  if (version >= 45) return image;
  return Object.assign({}, image, { Container: '', ContainerConfig: null });
}

/** An image as a client of this version expects it. */
export function inspectForVersion(version: number, image: ImageInspect): ImageInspect {
  return addContainerBefore45(
    version,
    addVirtualSizeBefore44(version, fillCreatedBefore44(version, dropDescriptorBefore48(version, image))),
  );
}

/** Images inside `/system/df`, where `VirtualSize` went with 1.44 too. */
export function usageForVersion(version: number, rows: unknown): unknown {
  if (version >= 44 || !Array.isArray(rows)) return rows;
  const images: unknown[] = rows;
  return images.map((image) =>
    typeof image === 'object' && image !== null && 'Size' in image ? { ...image, VirtualSize: image.Size } : image,
  );
}
