import { type Command, defineCommand, exactArgs } from '../../framework/command.ts';
import { CliError } from '../../framework/errors.ts';

interface Change {
  Path: string;
  Kind: number;
}

/** By `Kind`: changed, added, deleted. */
const letters = ['C', 'A', 'D'] as const;

export const command: Command = defineCommand({
  usage: 'CONTAINER',
  args: exactArgs(1),
  async run(ctx, line) {
    const [name = ''] = line.args;
    if (name === '') throw new CliError('Container name cannot be empty');
    const client = await ctx.client();
    const changes = await client.get<Change[] | null>(`/containers/${encodeURIComponent(name)}/changes`);
    ctx.out((changes ?? []).map(({ Kind, Path }) => `${letters[Kind] ?? ''} ${Path}\n`).join(''));
  },
});
