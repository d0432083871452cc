import { bool, CliError, type Command, defineCommand, noArgs } from '../../framework/index.ts';

interface FsckAnswer {
  readonly problems: readonly string[];
  readonly checked: Readonly<Record<string, number>>;
}

export const command: Command = defineCommand({
  usage: '[OPTIONS]',
  args: noArgs,
  description: 'Verify every digest, snapshot and reference of the image store',
  flags: { quiet: bool('Print problems only', { short: 'q' }) },
  async run(ctx, { flags }) {
    const client = await ctx.client();
    const { problems, checked } = await client.get<FsckAnswer>('/berth/fsck');
    ctx.out(problems.map((problem) => `${problem}\n`).join(''));
    if (!flags.quiet) {
      const counts = Object.entries(checked).map(([what, count]) => `${count} ${what}`);
      ctx.out(`Checked ${counts.length === 0 ? 'nothing' : counts.join(', ')}\n`);
    }
    if (problems.length > 0)
      throw new CliError(`${problems.length} ${problems.length === 1 ? 'problem' : 'problems'} found`);
  },
});
