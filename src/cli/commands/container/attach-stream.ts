import type { ApiClient, HijackedStream } from '#client';
import type { CliContext } from '../../context.ts';

/** Which streams of a container to attach to. */
export interface AttachOptions {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly detachKeys: string;
}

/** Opens the raw stream of `POST /containers/{id}/attach`. */
export async function attachTo(client: ApiClient, id: string, options: AttachOptions): Promise<HijackedStream> {
  const flag = (on: boolean): string | undefined => (on ? '1' : undefined);
  return client.hijack({
    method: 'POST',
    path: `/containers/${encodeURIComponent(id)}/attach`,
    query: {
      stream: '1',
      stdin: flag(options.stdin),
      stdout: flag(options.stdout),
      stderr: flag(options.stderr),
      detachKeys: options.detachKeys === '' ? undefined : options.detachKeys,
    },
    headers: { 'content-type': 'text/plain' },
  });
}

/** The detach keys of the command line, else of the user's configuration. */
export function chosenDetachKeys(ctx: CliContext, flag: string): string {
  return flag === '' ? (ctx.config.detachKeys ?? '') : flag;
}
