import { eraseCredentials, hubKey } from '../config/credentials.ts';
import { type Command, defineCommand, maxArgs } from '../framework/index.ts';

export const command: Command = defineCommand({
  usage: '[SERVER]',
  args: maxArgs(1),
  description: 'Log out from a registry.\nWithout a server, Docker Hub is meant.',
  async run(ctx, { args }) {
    const [server] = args;
    const host = server?.replace(/^https?:\/\//, '').split('/')[0];
    ctx.out(`Removing login credentials for ${host ?? hubKey}\n`);
    const keys =
      server === undefined ? [hubKey] : [server, host ?? server, `http://${host ?? ''}`, `https://${host ?? ''}`];
    for (const key of new Set(keys)) await eraseCredentials(ctx.globals.configDir, key);
  },
});
