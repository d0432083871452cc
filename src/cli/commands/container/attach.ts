import type { ApiClient } from '#client';
import type { ContainerInspect } from '#spec';
import type { CliContext } from '../../context.ts';
import { type Command, defineCommand, exactArgs } from '../../framework/command.ts';
import { CliError } from '../../framework/errors.ts';
import { bool, string } from '../../framework/flags.ts';
import { checkTty, startSession } from '../../terminal/session.ts';
import { proxySignals } from '../../terminal/signals.ts';
import { followTerminalSize, resizeTo, terminalSize } from '../../terminal/size.ts';
import { attachTo, chosenDetachKeys } from './attach-stream.ts';

const flags = {
  'detach-keys': string('Keys that detach from the container'),
  'no-stdin': bool('Do not attach STDIN'),
  'sig-proxy': bool('Pass received signals on to the process', { initial: true }),
};

export const command: Command = defineCommand({
  usage: '[OPTIONS] CONTAINER',
  args: exactArgs(1),
  flags,
  async run(ctx, line) {
    const [name = ''] = line.args;
    const client = await ctx.client();
    const container = await inspectRunning(client, name);
    const { Tty: tty, OpenStdin } = container.Config;
    checkTty(ctx.io, !line.flags['no-stdin'], tty);
    const exit = client.post<{ StatusCode: number; Error?: { Message: string } | null }>(
      `/containers/${encodeURIComponent(name)}/wait`,
    );
    exit.catch(() => undefined);
    const stopProxy = line.flags['sig-proxy'] && !tty ? proxySignals(ctx.io, client, name) : () => undefined;
    try {
      const options = {
        stdin: !line.flags['no-stdin'] && OpenStdin,
        stdout: true,
        stderr: true,
        tty,
        detachKeys: chosenDetachKeys(ctx, line.flags['detach-keys']),
      };
      await join(ctx, client, name, options);
    } finally {
      stopProxy();
    }
    const { StatusCode, Error: failure } = await exit;
    if (failure) throw new CliError(failure.Message);
    return StatusCode;
  },
});

async function inspectRunning(client: ApiClient, name: string): Promise<ContainerInspect> {
  const container = await client.get<ContainerInspect>(`/containers/${encodeURIComponent(name)}/json`);
  const { Running, Paused, Restarting } = container.State;
  if (!Running) throw new CliError('You cannot attach to a stopped container, start it first');
  if (Paused) throw new CliError('You cannot attach to a paused container, unpause it first');
  if (Restarting) throw new CliError('You cannot attach to a restarting container, wait until it is running');
  return container;
}

async function join(
  ctx: CliContext,
  client: ApiClient,
  name: string,
  options: Parameters<typeof startSession>[2],
): Promise<void> {
  const stream = await attachTo(client, name, options);
  // It may have stopped in between; the stream of a stopped container would be silent forever.
  await inspectRunning(client, name);
  let stopResizing = (): void => undefined;
  if (options.tty && ctx.io.isTerminal('stdout')) {
    const target = { kind: 'containers', id: name } as const;
    const [height, width] = terminalSize(ctx.io);
    // A shell only draws its prompt again when the size changes, so it is changed and changed back.
    await resizeTo(client, target, [height + 1, width + 1]).catch(() => undefined);
    stopResizing = followTerminalSize(client, ctx.io, target, (text) => ctx.err(text));
  }
  const session = startSession(ctx.io, stream, options);
  try {
    if ((await session.ended) === 'detached') throw new CliError('read escape sequence');
  } finally {
    stopResizing();
    session.stop();
  }
}
