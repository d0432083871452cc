import { readFileSync } from 'node:fs';
import { hubKey, readCredentials, storeCredentials } from '../config/credentials.ts';
import type { CliContext } from '../context.ts';
import { bool, CliError, type Command, defineCommand, maxArgs, string } from '../framework/index.ts';
import { readLine } from '../output/prompt.ts';
import { readSecret } from '../output/secret-prompt.ts';

interface AuthAnswer {
  readonly Status?: string;
  readonly IdentityToken?: string;
}

export const command: Command = defineCommand({
  usage: '[OPTIONS] [SERVER]',
  args: maxArgs(1),
  description: 'Authenticate to a registry.\nWithout a server, Docker Hub is meant.',
  flags: {
    password: string('Password or Personal Access Token (PAT)', { short: 'p' }),
    'password-stdin': bool('Take the Password or Personal Access Token (PAT) from stdin'),
    username: string('Username', { short: 'u' }),
  },
  async run(ctx, { flags, args, given }) {
    const server = args[0] === undefined || args[0] === 'docker.io' ? hubKey : args[0];
    const fromStdin = flags['password-stdin'];
    if (flags.password !== '') {
      ctx.err('WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n');
      if (fromStdin) throw new CliError('--password and --password-stdin are mutually exclusive');
    }
    if (fromStdin && flags.username === '') throw new CliError('Must provide --username with --password-stdin');
    if (given('username') && flags.username === '') throw new CliError('username is empty');
    if (given('password') && flags.password === '') throw new CliError('password is empty');
    const stored = flags.username === '' ? await readCredentials(ctx.config, server) : undefined;
    if (stored) ctx.err(existingText(stored.username));
    const username = stored?.username ?? (flags.username || askUsername(ctx));
    const password = stored?.password ?? (fromStdin ? passwordFromStdin() : flags.password || (await askPassword(ctx)));
    const client = await ctx.client();
    const answer = await client.post<AuthAnswer | undefined>('/auth', undefined, {
      json: {
        username,
        password,
        serveraddress: server,
        ...(stored?.identitytoken ? { identitytoken: stored.identitytoken } : {}),
      },
    });
    const identitytoken = answer?.IdentityToken;
    const place = await storeCredentials(ctx.globals.configDir, {
      serveraddress: server,
      username,
      ...(identitytoken ? { identitytoken } : { password }),
    });
    if (place !== undefined) ctx.err(unencryptedText(place));
    if (answer?.Status) ctx.out(`${answer.Status}\n`);
  },
});

function existingText(username: string | undefined): string {
  const who = username ? ` [Username: ${username}]` : '';
  return `Authenticating with existing credentials...${who}\n\n Info -> To login with a different account, run 'berth logout' followed by 'berth login'\n\n\n`;
}

function unencryptedText(path: string): string {
  return `\nWARNING! Your credentials are stored unencrypted in '${path}'.\nConfigure a credential helper to remove this warning. See\nhttps://docs.docker.com/go/credential-store/\n\n`;
}

function passwordFromStdin(): string {
  return readFileSync(0, 'utf8').replace(/\r?\n$/, '');
}

function askUsername(ctx: CliContext): string {
  if (!ctx.io.isTerminal('stdin'))
    throw new CliError('Error: Cannot perform an interactive login from a non TTY device');
  ctx.out('Username: ');
  const username = readLine().trim();
  if (username === '') throw new CliError('Error: Username Required');
  return username;
}

async function askPassword(ctx: CliContext): Promise<string> {
  if (!ctx.io.isTerminal('stdin'))
    throw new CliError('Error: Cannot perform an interactive login from a non TTY device');
  const password = await readSecret(ctx, 'Password: ');
  if (password === '') throw new CliError('Error: Password Required');
  return password;
}
