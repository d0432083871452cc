import type { ApiClient } from '#client';
import type { CliContext } from '../../context.ts';
import { type Session, startSession } from '../../terminal/session.ts';
import { followTerminalSize } from '../../terminal/size.ts';
import { attachTo } from './attach-stream.ts';
import { armWait, type ArmedWait } from './wait-for-exit.ts';

/** A container to start with the user's streams joined to it. */
export interface AttachedStart {
  readonly id: string;
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
  readonly detachKeys: string;
  /** The daemon removes it at its exit; that is waited for too. */
  readonly removed: boolean;
  /** What to throw when the daemon refuses the start. */
  readonly startFailure: (error: unknown) => unknown;
  /** Query of the start request. */
  readonly startQuery?: Readonly<Record<string, string | undefined>>;
}

/**
 * Attaches, waits, starts, in this order, so that neither output nor the exit can be missed, and stays until the
 * output is over.
 *
 * @returns The container's exit code; 0 when the user detached.
 */
export async function startAttached(ctx: CliContext, client: ApiClient, options: AttachedStart): Promise<number> {
  const { id, tty } = options;
  const condition = options.removed ? 'removed' : 'next-exit';
  const [stream, wait] = await Promise.all([
    attachTo(client, id, options),
    armWait(client, id, condition, (text) => ctx.err(text)),
  ]);
  const session = startSession(ctx.io, stream, options);
  // Whoever comes first decides below; a failure of the one not waited for is no unhandled one.
  session.ended.catch(() => undefined);
  let stopResizing = (): void => undefined;
  try {
    await start(client, options, session, wait);
    if (tty) {
      stopResizing = followTerminalSize(client, ctx.io, { kind: 'containers', id }, (text) => ctx.err(text));
    }
    return await outcome(session, wait, options.stdout || options.stderr);
  } finally {
    stopResizing();
    session.stop();
  }
}

async function start(client: ApiClient, options: AttachedStart, session: Session, wait: ArmedWait): Promise<void> {
  try {
    await client.post(`/containers/${encodeURIComponent(options.id)}/start`, options.startQuery ?? {});
  } catch (error) {
    session.stop();
    if (options.removed) await wait.exitCode;
    throw options.startFailure(error);
  }
}

/** The output may end before the exit is known and after it; both are waited for, unless there is no output. */
async function outcome(session: Session, wait: ArmedWait, hasOutput: boolean): Promise<number> {
  if (!hasOutput) {
    const first = await Promise.race([session.ended, wait.exitCode]);
    if (first === 'detached') return 0;
    return wait.exitCode;
  }
  return (await session.ended) === 'detached' ? 0 : wait.exitCode;
}
