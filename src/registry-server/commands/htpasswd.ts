import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { hash } from 'bcryptjs';
import { parseCommandLine, usageError } from './command-line.ts';

const rounds = 10;
/** bcrypt sees no more of a password than this. */
const maxPasswordBytes = 72;

/** `berth registry htpasswd FILE USER`: the password comes from standard input. */
export async function run(args: readonly string[]): Promise<number> {
  const line = parseCommandLine(args, { values: [], switches: ['delete'] });
  const [file, user] = line.positionals;
  if (line.switches.has('help')) {
    process.stdout.write(
      `\nUsage:  berth registry htpasswd [OPTIONS] FILE USER\n\nAdd, change or remove a user in a password file. The password is read from standard input.\n\nOptions:\n      --delete   Remove the user\n`,
    );
    return 0;
  }
  if (file === undefined || user === undefined || line.positionals.length > 2) {
    throw usageError('htpasswd wants a file and a user');
  }
  if (!/^[^:\s]{1,255}$/.test(user)) throw usageError('a user name has no colons and no blanks');
  const added = line.switches.has('delete') ? [] : [`${user}:${await hash(readPassword(), rounds)}`];
  replaceLine(file, user, added);
  return 0;
}

function readPassword(): string {
  const password = readFileSync(0, 'utf8').replace(/\r?\n$/, '');
  if (password === '') throw usageError('the password on standard input is empty');
  if (Buffer.byteLength(password) > maxPasswordBytes) {
    throw usageError(`bcrypt takes at most ${maxPasswordBytes} bytes of a password`);
  }
  return password;
}

function replaceLine(file: string, user: string, added: readonly string[]): void {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const others = text.split('\n').filter((line) => line !== '' && !line.startsWith(`${user}:`));
  const partial = `${file}.new`;
  writeFileSync(partial, [...others, ...added].map((line) => `${line}\n`).join(''), { mode: 0o600 });
  renameSync(partial, file);
}
