import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from '#lib';
import type { TerminalSize } from './contract.ts';
import { monitorGone } from './errors.ts';

const RESIZE = 1;
const REOPEN_LOGS = 2;
/** conmon 2.1.7 and later ignore anything larger. */
const MAX_TERMINAL_SIDE = 1000;

/** conmon's line for a new terminal size; sides beyond what it takes are cut. */
export function resizeMessage(size: TerminalSize): string {
  const side = (value: number): number => Math.min(MAX_TERMINAL_SIDE, Math.max(0, Math.trunc(value)));
  return `${RESIZE} ${side(size.height)} ${side(size.width)}\n`;
}

/** conmon's line that makes it go on in a new file under its log's path. */
export const reopenLogsMessage: string = `${REOPEN_LOGS} 0 0\n`;

/**
 * Writes one control line to a conmon. The fifo takes lines this short in one piece, so senders may race.
 *
 * @throws conflict when no conmon reads.
 */
export async function sendControl(directory: string, message: string): Promise<void> {
  try {
    await using fifo = await open(join(directory, 'ctl'), constants.O_WRONLY | constants.O_NONBLOCK);
    await fifo.write(message);
  } catch (error) {
    if (isErrno(error, 'ENXIO', 'ENOENT', 'EPIPE')) throw monitorGone(directory, error);
    throw error;
  }
}
