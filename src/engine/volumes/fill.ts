import { packTree, unpack } from '#archive';
import { isKind } from '#errors';
import { RootFiles, type OpenBeneath } from '#runtime';

/**
 * Copies what an image has at `target` into a new volume's directory, owner and mode of the directory itself included, as
 * Docker does on a volume's first use; links on the way and at its end are followed inside the image. Both sides are worked on by chrooted workers, so no link leads anywhere else.
 * Repeatable: after a kill in the middle the copy is simply made again. No directory there leaves the volume empty.
 */
export async function fillFromImage(
  rootfs: string,
  target: string,
  directory: string,
  files: OpenBeneath,
): Promise<void> {
  using root = new RootFiles(rootfs, files);
  const path = root.resolveDirectory(target);
  if (path === undefined) return;
  const source = packTree({ root: rootfs, path, mode: 'plain', rename: '.' });
  try {
    await unpack({ source: { stream: source }, root: directory, whiteouts: 'literal' });
  } catch (error) {
    if (!isKind(error, 'notFound')) throw error;
  } finally {
    source.destroy();
  }
}
