import { execFileSync } from 'node:child_process';

/** One object of a listing, under the name of its type (`table`, `chain`, `rule`, …); see libnftables-json(5). */
export type NftObject = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

function nft(input: string, args: readonly string[], netnsPath: string | undefined): string {
  const command = ['nft', ...args, '-f', '-'];
  const [program = '', ...rest] = netnsPath === undefined ? command : ['nsenter', `--net=${netnsPath}`, ...command];
  return execFileSync(program, rest, { input, encoding: 'utf8', stdio: 'pipe' });
}

/** Runs commands with nft(8), in this thread's network namespace or another, and answers what they print. */
export function runNft(commands: string, netnsPath?: string): string {
  return nft(`${commands}\n`, [], netnsPath);
}

/** Like {@link runNft}, for `list` commands. */
export function queryNft(commands: string, netnsPath?: string): NftObject[] {
  return (JSON.parse(nft(`${commands}\n`, ['-j', '-a'], netnsPath)) as { nftables: NftObject[] }).nftables;
}
