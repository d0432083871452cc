import { packTree, unpack } from '#archive';
import { isKind } from '#errors';

/**
 * Copies what an image has at `path` into a new volume's directory, owner and mode of the directory itself included, as
 * Docker does on a volume's first use. Both sides are worked on by chrooted workers, so no link leads anywhere else.
 * Repeatable: after a kill in the middle the copy is simply made again. Nothing at `path` leaves the volume empty.
 */
export async function fillFromImage(rootfs: string, path: string, directory: string): Promise<void> {
  const source = packTree({ root: rootfs, path, mode: 'plain', rename: '.' });
  try {
    await unpack({ source: { stream: source }, root: directory, whiteouts: 'literal' });
  } catch (error) {
    if (!isKind(error, 'notFound')) throw error;
  } finally {
    source.destroy();
  }
}
