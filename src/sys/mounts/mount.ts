import { check } from '../errno.ts';
import { nativeAsyncFunction, nativeFunction, type Pointer } from '../native/koffi.ts';
import { cPath } from '../native/path.ts';
import { MS, type Propagation, propagationFlag } from './flags.ts';

const cMount = nativeFunction<[Pointer, Pointer, Pointer, number, Pointer], number>('mount', 'int', [
  'const char *',
  'const char *',
  'const char *',
  'ulong',
  'const char *',
]);
const cUmount2 = nativeFunction<[Pointer, number], number>('umount2', 'int', ['const char *', 'int']);

const cUmount2Async = nativeAsyncFunction<[Pointer, number], number>('umount2', 'int', ['const char *', 'int']);

/**
 * mount(2).
 *
 * @param source - `null` or any word for filesystems without one.
 * @param data - the filesystem's options; at most a page (4095 bytes).
 */
export function mount(
  source: string | null,
  target: string,
  fsType: string | null,
  flags: number,
  data: string | null = null,
): void {
  check(tryMount(source, target, fsType, flags, data), 'mount', fsType ?? source ?? 'none', 'on', target);
}

/** mount(2) as it is: -1 when it failed. */
export function tryMount(
  source: string | null,
  target: string,
  fsType: string | null,
  flags: number,
  data: string | null,
): number {
  return cMount(source === null ? null : cPath(source), cPath(target), fsType, flags, data);
}

/** umount2(2). Plain unmounting of an overlay that is not volatile waits for its upper filesystem to be synced. */
export function unmount(target: string, flags = 0): void {
  check(cUmount2(cPath(target), flags), 'unmount', target);
}

/**
 * {@link unmount} on another thread, so that waiting for the disk stops nobody else.
 * The mount namespace is the process's: not for use while this thread is in another one.
 */
export async function unmountAsync(target: string, flags = 0): Promise<void> {
  const result = await cUmount2Async(cPath(target), flags);
  // What was refused over there is refused here too, at once and with its reason.
  if (result !== 0) unmount(target, flags);
}

export interface BindOptions {
  /** With the mounts below it. */
  recursive?: boolean;
  /** Only this mount; for those below use `setMountAttributes` with `recursive`. */
  readOnly?: boolean;
}

/** Bind-mounts `source` on `target`. */
export function bind(source: string, target: string, options: BindOptions = {}): void {
  mount(source, target, null, MS.BIND | (options.recursive === true ? MS.REC : 0));
  if (options.readOnly === true) mount(null, target, null, MS.BIND | MS.REMOUNT | MS.RDONLY);
}

/** Changes how mounts below `target` travel between mount namespaces. */
export function setPropagation(target: string, propagation: Propagation, recursive = false): void {
  mount(null, target, null, propagationFlag[propagation] | (recursive ? MS.REC : 0));
}
