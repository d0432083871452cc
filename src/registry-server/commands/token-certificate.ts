import { mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { ensureTokenKey } from '../auth/token-key.ts';
import { tokenKeyFiles } from '../auth/open-authentication.ts';
import { parseCommandLine } from './command-line.ts';
import { commonFlags, commonHelp, configFrom } from './config-flags.ts';

/** `berth registry token-certificate`: prints the certificate, which is made where there is none. */
export function run(args: readonly string[]): Promise<number> {
  const line = parseCommandLine(args, { values: commonFlags, switches: [] });
  if (line.switches.has('help')) {
    process.stdout.write(
      `\nUsage:  berth registry token-certificate [OPTIONS]\n\nPrint the certificate that other registries verify our tokens with; key and certificate are made if there are none\n\nOptions:\n${commonHelp}`,
    );
    return Promise.resolve(0);
  }
  const config = configFrom(line);
  const files = tokenKeyFiles(config);
  mkdirSync(dirname(files.key), { recursive: true, mode: 0o700 });
  ensureTokenKey(files, config.auth?.token.issuer ?? 'berth-registry');
  process.stdout.write(readFileSync(files.certificate, 'utf8'));
  return Promise.resolve(0);
}
