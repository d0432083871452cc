import { parseReference, repositoryName, withDefaultTag } from '#spec';
import { type Command, defineCommand, rangeArgs } from '../../framework/command.ts';
import { CliError } from '../../framework/errors.ts';
import { bool, list, string } from '../../framework/flags.ts';

export const command: Command = defineCommand({
  usage: '[OPTIONS] CONTAINER [REPOSITORY[:TAG]]',
  args: rangeArgs(1, 2),
  flags: {
    author: string('Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")', { short: 'a' }),
    change: list('Apply a Dockerfile instruction to the image', { short: 'c' }),
    message: string('Commit message', { short: 'm' }),
    pause: bool('Pause the container meanwhile', { short: 'p', initial: true }),
  },
  interspersed: false,
  async run(ctx, line) {
    const [container = '', reference = ''] = line.args;
    const { author, change, message, pause } = line.flags;
    const target = reference === '' ? { repo: undefined, tag: undefined } : commitTarget(reference);
    const client = await ctx.client();
    const { Id } = await client.post<{ Id: string }>('/commit', {
      container,
      ...target,
      comment: message,
      author,
      changes: change.length > 0 ? [...change] : undefined,
      pause: pause ? undefined : '0',
    });
    ctx.out(`${Id}\n`);
  },
});

function commitTarget(text: string): { repo: string; tag: string | undefined } {
  const reference = parseReference(text);
  if (reference.digest !== undefined) throw new CliError('refusing to create a tag with a digest reference');
  return { repo: repositoryName(reference), tag: withDefaultTag(reference).tag };
}
