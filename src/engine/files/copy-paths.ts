import { posix } from 'node:path';
import { EngineError } from '#errors';
import type { ContainerRecord } from '../containers/record.ts';

/** A path in a container as a client wrote it, made absolute; a `/` or `/.` at the end, which means something, stays. */
export function toContainerPath(path: string): string {
  const clean = posix.join('/', path).replace(/(?<=.)\/$/, '');
  if (path === '.' || path.endsWith('/.')) return clean === '/' ? '/.' : `${clean}/.`;
  return path.endsWith('/') && clean !== '/' ? `${clean}/` : clean;
}

/** Go's `filepath.Base`, by which Docker names what it packs: the last part, of `/a/.` the dot, of `/` the slash. */
export function baseName(path: string): string {
  const stripped = path.replace(/\/+$/, '');
  return stripped === '' ? '/' : posix.basename(stripped);
}

/**
 * Refuses to write where the container itself could not.
 *
 * @param path - Without links.
 * @throws invalidArgument with Docker's texts.
 */
export function assertWritable(record: ContainerRecord, path: string): void {
  const above = record.mounts
    .map(({ point }) => point)
    .filter(({ Destination: at }) => at === '/' || path === at || path.startsWith(`${at}/`))
    .toSorted((a, b) => b.Destination.length - a.Destination.length);
  const [mount] = above;
  if (mount ? mount.RW : !record.hostConfig.ReadonlyRootfs) return;
  const what = mount ? 'mounted volume' : 'container rootfs';
  throw new EngineError('invalidArgument', 'READ_ONLY', `${what} is marked read-only`);
}
