import type { ApiClient } from '#client';
import type { CliIo } from '../io.ts';

/** Height and width of the terminal at standard output; zeroes without one. */
export function terminalSize(io: CliIo): [height: number, width: number] {
  if (!io.isTerminal('stdout')) return [0, 0];
  const [width, height] = io.stdout.getWindowSize();
  return [height, width];
}

/** What has a terminal of its own on the daemon's side. */
export interface ResizeTarget {
  kind: 'containers' | 'exec';
  id: string;
}

/** Tells the daemon a size; a size of nothing is not told. */
export async function resizeTo(
  client: ApiClient,
  target: ResizeTarget,
  [height, width]: readonly [number, number],
): Promise<void> {
  if (height === 0 && width === 0) return;
  await client.post(`/${target.kind}/${encodeURIComponent(target.id)}/resize`, { h: height, w: width });
}

/** Attempts after the first one; the process may not be up yet. */
const resizeRetries = 10;

/**
 * Gives the terminal inside the size of the one outside, now and at every change.
 *
 * @returns Ends it.
 */
export function followTerminalSize(
  client: ApiClient,
  io: CliIo,
  target: ResizeTarget,
  warn: (message: string) => void,
): () => void {
  if (!io.isTerminal('stdout')) return () => undefined;
  let active = true;
  const initial = async (): Promise<void> => {
    for (let attempt = 0; attempt <= resizeRetries && active; attempt++) {
      try {
        return await resizeTo(client, target, terminalSize(io));
      } catch {
        await new Promise((resolve) => setTimeout(resolve, (attempt + 1) * 10));
      }
    }
    if (active) warn('failed to resize tty, using default size\n');
  };
  const onResize = (): void => {
    // A size that does not arrive is no reason to disturb the session.
    resizeTo(client, target, terminalSize(io)).catch(() => undefined);
  };
  void initial();
  io.stdout.on('resize', onResize);
  return () => {
    active = false;
    io.stdout.off('resize', onResize);
  };
}
