import { type ApiClient, ConnectionError } from '#client';
import type { ContainerInspect, ExecCreateRequest, ExecInspect } from '#spec';
import type { CliContext } from '../../context.ts';
import { type Command, defineCommand, minArgs } from '../../framework/command.ts';
import { CliError } from '../../framework/errors.ts';
import { bool, list, string } from '../../framework/flags.ts';
import { checkEnv } from '../../run-options/checks.ts';
import { readKeyValues } from '../../run-options/key-value-files.ts';
import { checkTty, startSession } from '../../terminal/session.ts';
import { followTerminalSize, terminalSize } from '../../terminal/size.ts';
import { chosenDetachKeys } from './attach-stream.ts';

const flags = {
  detach: bool('Leave the command running in the background', { short: 'd' }),
  'detach-keys': string('Keys that detach from the command'),
  env: list('Set environment variables', { short: 'e', check: (text: string) => checkEnv(text) }),
  'env-file': list('Read environment variables from a file'),
  interactive: bool('Keep STDIN open even if nobody is attached', { short: 'i' }),
  privileged: bool('Give extended privileges to the command'),
  tty: bool('Allocate a pseudo-TTY', { short: 't' }),
  user: string('Name or UID of the user (format: "<name|uid>[:<group|gid>]")', { short: 'u' }),
  workdir: string('Working directory inside the container', { short: 'w' }),
};

/** What a daemon that died leaves us to say. */
const unknownExitCode = 255;

export const command: Command = defineCommand({
  usage: '[OPTIONS] CONTAINER COMMAND [ARG...]',
  args: minArgs(2),
  flags,
  interspersed: false,
  async run(ctx, line) {
    const { detach, tty, interactive, user, privileged, workdir } = line.flags;
    const [name = '', ...words] = line.args;
    const variables = readKeyValues(line.flags['env-file'], line.flags.env, (key) => ctx.env[key]);
    const client = await ctx.client();
    const path = `/containers/${encodeURIComponent(name)}`;
    const attachStdin = interactive && !detach;
    // A container that does not exist is the better message than a missing terminal; and an exec, once made, cannot be
    // removed.
    if (!detach && attachStdin && tty && !ctx.io.isTerminal('stdin')) {
      await client.get<ContainerInspect>(`${path}/json`);
      checkTty(ctx.io, attachStdin, tty);
    }
    const request: ExecCreateRequest = {
      User: user,
      Privileged: privileged,
      Tty: tty,
      ...(tty ? { ConsoleSize: terminalSize(ctx.io) } : {}),
      AttachStdin: attachStdin,
      AttachStdout: !detach,
      AttachStderr: !detach,
      Detach: detach,
      DetachKeys: chosenDetachKeys(ctx, line.flags['detach-keys']),
      Env: variables.length > 0 ? variables : null,
      WorkingDir: workdir,
      Cmd: words,
    };
    const { Id: id } = await client.post<{ Id: string }>(`${path}/exec`, {}, { json: request });
    const start = { Detach: detach, Tty: tty, ...(request.ConsoleSize ? { ConsoleSize: request.ConsoleSize } : {}) };
    if (detach) {
      await client.post(`/exec/${id}/start`, {}, { json: start });
      return 0;
    }
    return runAttached(ctx, client, id, request, start);
  },
});

async function runAttached(
  ctx: CliContext,
  client: ApiClient,
  id: string,
  request: ExecCreateRequest,
  start: unknown,
): Promise<number> {
  const stream = await client.hijack({ method: 'POST', path: `/exec/${id}/start`, json: start });
  const session = startSession(ctx.io, stream, {
    stdin: request.AttachStdin,
    stdout: true,
    stderr: true,
    tty: request.Tty,
    detachKeys: request.DetachKeys,
  });
  const stopResizing =
    request.Tty && ctx.io.isTerminal('stdin')
      ? followTerminalSize(client, ctx.io, { kind: 'exec', id }, (text) => ctx.err(text))
      : () => undefined;
  try {
    if ((await session.ended) === 'detached') throw new CliError('read escape sequence');
  } finally {
    stopResizing();
    session.stop();
  }
  return exitCodeOfExec(client, id);
}

async function exitCodeOfExec(client: ApiClient, id: string): Promise<number> {
  try {
    const { ExitCode } = await client.get<ExecInspect>(`/exec/${id}/json`);
    return ExitCode ?? 0;
  } catch (error) {
    if (error instanceof ConnectionError) return unknownExitCode;
    throw error;
  }
}
