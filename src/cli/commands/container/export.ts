import { type Command, defineCommand, exactArgs } from '../../framework/command.ts';
import { CliError } from '../../framework/errors.ts';
import { string } from '../../framework/flags.ts';
import { writeToFd } from '../../terminal/fd-writer.ts';
import { saveToFile } from './save-to-file.ts';

export const command: Command = defineCommand({
  usage: '[OPTIONS] CONTAINER',
  args: exactArgs(1),
  flags: { output: string('Write to a file, instead of STDOUT', { short: 'o' }) },
  async run(ctx, line) {
    const [name = ''] = line.args;
    const { output } = line.flags;
    if (output === '' && ctx.io.isTerminal('stdout')) {
      throw new CliError('cowardly refusing to save to a terminal. Use the -o flag or redirect');
    }
    const client = await ctx.client();
    const response = await client.send({ method: 'GET', path: `/containers/${encodeURIComponent(name)}/export` });
    if (output !== '') return saveToFile(output, response);
    for await (const chunk of response) await writeToFd(1, [chunk]);
  },
});
