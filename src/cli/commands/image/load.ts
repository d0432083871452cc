import { createReadStream } from 'node:fs';
import { parsePlatform } from '#spec';
import { bool, CliError, type Command, defineCommand, list, noArgs, string } from '../../framework/index.ts';
import { openForReading } from '../../framework/files.ts';
import { showProgress } from '../../output/progress.ts';

export const command: Command = defineCommand({
  usage: '[OPTIONS]',
  args: noArgs,
  flags: {
    input: string('Read from tar archive file, instead of STDIN', { short: 'i' }),
    platform: list('Load only the given platform(s)'),
    quiet: bool('Suppress the load output', { short: 'q' }),
  },
  async run(ctx, { flags }) {
    if (flags.input === '' && ctx.io.isTerminal('stdin')) {
      throw new CliError('requested load from stdin, but stdin is empty');
    }
    const stream =
      flags.input === ''
        ? ctx.io.stdin
        : createReadStream('', { fd: openForReading(flags.input), highWaterMark: 1 << 20 });
    const client = await ctx.client();
    const quiet = flags.quiet || !ctx.io.isTerminal('stdout');
    const response = await client.send({
      method: 'POST',
      path: '/images/load',
      query: { quiet, platform: flags.platform.map((text) => JSON.stringify(parsePlatform(text))) },
      stream,
      contentType: 'application/x-tar',
    });
    await showProgress(ctx, response);
  },
});
