import { check } from '../errno.ts';
import { nativeFunction } from './koffi.ts';

const cClose = nativeFunction<[number], number>('close', 'int', ['int']);

/**
 * Closes an fd that came from this module. On the main thread `fs.closeSync` does as well; in a worker Node warns about
 * fds that it did not open itself.
 */
export function closeFd(fd: number): void {
  check(cClose(fd), 'close', `fd ${fd}`);
}
