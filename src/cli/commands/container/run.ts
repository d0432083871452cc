import type { ApiClient } from '#client';
import type { CliContext } from '../../context.ts';
import { type Command, defineCommand, minArgs } from '../../framework/command.ts';
import { CliError } from '../../framework/errors.ts';
import { bool, string } from '../../framework/flags.ts';
import { parseContainerOptions, type ContainerRequest } from '../../run-options/container-options.ts';
import { containerFlags } from '../../run-options/flags.ts';
import { refuseNewFlags, refuseWindowsFlags } from '../../run-options/for-api-version.ts';
import { checkTty } from '../../terminal/session.ts';
import { ignoreInterrupts, proxySignals } from '../../terminal/signals.ts';
import { chosenDetachKeys } from './attach-stream.ts';
import { checkPullOption, createContainer } from './create-container.ts';
import { startAttached } from './start-attached.ts';
import { asUsageError, runFailure } from './usage-error.ts';
import { armWait } from './wait-for-exit.ts';

const flags = {
  ...containerFlags,
  detach: bool('Leave it running in the background and print its ID', { short: 'd' }),
  'detach-keys': string('Keys that detach from the container'),
  pull: string('When to pull the image first ("always", "missing", "never")', { initial: 'missing' }),
  'sig-proxy': bool('Pass received signals on to the process', { initial: true }),
};

export const command: Command = defineCommand({
  usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  args: minArgs(1),
  flags,
  interspersed: false,
  async run(ctx, line) {
    refuseWindowsFlags(line.given);
    const [image = '', ...args] = line.args;
    const client = await ctx.client();
    await refuseNewFlags(line.given, client);
    const request = asUsageError(ctx.program, 'run', () => {
      checkPullOption(line.flags.pull);
      const environment = { env: ctx.env, proxies: ctx.config.proxies, daemonHost: client.host };
      return parseContainerOptions(line.flags, line.given, image, args, environment);
    });
    if (line.flags.detach) detachConfig(request, line.flags.attach.length > 0);
    else checkTty(ctx.io, request.config.AttachStdin, request.config.Tty);
    const id = await orRunFailure(ctx, () =>
      createContainer(ctx, client, request, {
        name: line.flags.name,
        platform: line.flags.platform,
        pull: line.flags.pull,
        quiet: line.flags.quiet,
        useApiSocket: line.flags['use-api-socket'],
      }),
    );
    const stopProxy = line.flags['sig-proxy'] ? proxySignals(ctx.io, client, id) : ignoreInterrupts(ctx.io);
    try {
      const { AttachStdin, AttachStdout, AttachStderr, Tty } = request.config;
      const removed = request.hostConfig.AutoRemove;
      if (!AttachStdin && !AttachStdout && !AttachStderr) return await startDetached(ctx, client, id, removed);
      return await startAttached(ctx, client, {
        id,
        stdin: AttachStdin,
        stdout: AttachStdout,
        stderr: AttachStderr,
        tty: Tty,
        detachKeys: chosenDetachKeys(ctx, line.flags['detach-keys']),
        removed,
        startFailure: (error) => runFailure(ctx.program, error),
      });
    } finally {
      stopProxy();
    }
  },
});

function detachConfig({ config }: ContainerRequest, attachGiven: boolean): void {
  if (attachGiven) throw new CliError('conflicting options: cannot specify both --attach and --detach');
  config.AttachStdin = false;
  config.AttachStdout = false;
  config.AttachStderr = false;
  config.StdinOnce = false;
}

async function startDetached(ctx: CliContext, client: ApiClient, id: string, removed: boolean): Promise<number> {
  ctx.out(`${id}\n`);
  const wait = removed ? await armWait(client, id, 'removed', (text) => ctx.err(text)) : undefined;
  try {
    await client.post(`/containers/${id}/start`);
  } catch (error) {
    await wait?.exitCode;
    throw runFailure(ctx.program, error);
  }
  return 0;
}

async function orRunFailure<T>(ctx: CliContext, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw runFailure(ctx.program, error);
  }
}
