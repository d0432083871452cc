import { createReadStream } from 'node:fs';
import { formatPlatform, parsePlatform } from '#spec';
import { type Command, defineCommand, list, minArgs, string } from '../../framework/index.ts';
import { openForReading } from '../../framework/files.ts';
import { showProgress } from '../../output/progress.ts';

export const command: Command = defineCommand({
  usage: '[OPTIONS] file|URL|- [REPOSITORY[:TAG]]',
  args: minArgs(1),
  flags: {
    change: list('Apply Dockerfile instruction to the created image', { short: 'c' }),
    message: string('Set commit message for imported image', { short: 'm' }),
    platform: string('Set platform if server is multi-platform capable'),
  },
  async run(ctx, { flags, args }) {
    const [source = '', reference = ''] = args;
    const remote = /^https?:\/\//.test(source);
    const stream = remote
      ? undefined
      : source === '-'
        ? ctx.io.stdin
        : createReadStream('', { fd: openForReading(source), highWaterMark: 1 << 20 });
    const client = await ctx.client();
    const response = await client.send({
      method: 'POST',
      path: '/images/create',
      query: {
        fromSrc: remote ? source : '-',
        repo: reference === '' ? undefined : reference,
        message: flags.message || undefined,
        changes: flags.change,
        platform: flags.platform === '' ? undefined : formatPlatform(parsePlatform(flags.platform)),
      },
      ...(stream ? { stream, contentType: 'application/x-tar' } : {}),
    });
    await showProgress(ctx, response);
  },
});
