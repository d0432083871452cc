import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno } from '#lib';
import { CliError } from '../framework/errors.ts';

/** The members of `config.json` that the CLI reads. Unknown ones are kept when the file is rewritten. */
export interface ConfigFile {
  readonly auths?: Readonly<Record<string, { auth?: string; identitytoken?: string }>>;
  readonly HttpHeaders?: Readonly<Record<string, string>>;
  readonly psFormat?: string;
  readonly imagesFormat?: string;
  readonly networksFormat?: string;
  readonly volumesFormat?: string;
  readonly statsFormat?: string;
  readonly detachKeys?: string;
  readonly credsStore?: string;
  readonly credHelpers?: Readonly<Record<string, string>>;
  readonly currentContext?: string;
  readonly pruneFilters?: readonly string[];
  readonly proxies?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export function configPath(configDir: string): string {
  return join(configDir, 'config.json');
}

/** Reads `config.json`; an absent file is an empty one. @throws CliError when it is no JSON object. */
export function readConfigFile(configDir: string): ConfigFile {
  const path = configPath(configDir);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return {};
    throw new CliError(`open ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (text.trim() === '') return {};
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed;
    throw new Error('it is not a JSON object');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CliError(`Error loading config file: parsing config file (${path}): ${why}`, 1, { cause: error });
  }
}
