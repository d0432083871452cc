import { spawn } from 'node:child_process';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { CliError } from '../framework/errors.ts';
import { type ConfigFile, configPath, readConfigFile } from './config-file.ts';

/** Docker Hub's key in `auths`. */
export const hubKey = 'https://index.docker.io/v1/';

/** Credentials of one registry, as the API takes them. */
export interface RegistryCredentials {
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
  readonly serveraddress: string;
}

/** The key of a registry's host in `auths` and with credential helpers. */
export function registryKey(domain: string): string {
  return ['docker.io', 'index.docker.io', 'registry-1.docker.io', ''].includes(domain) ? hubKey : domain;
}

/** Stored credentials of a registry, from its helper or from `config.json`; undefined when there are none. */
export async function readCredentials(config: ConfigFile, key: string): Promise<RegistryCredentials | undefined> {
  const helper = config.credHelpers?.[key] ?? config.credsStore;
  if (helper !== undefined && helper !== '') return await fromHelper(helper, key);
  const bare = (text: string): string => text.replace(/^https?:\/\//, '').split('/')[0] ?? '';
  const entry =
    config.auths?.[key] ?? Object.entries(config.auths ?? {}).find(([name]) => bare(name) === bare(key))?.[1];
  if (!entry) return undefined;
  if (entry.identitytoken) return { identitytoken: entry.identitytoken, serveraddress: key };
  const text = Buffer.from(entry.auth ?? '', 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 0) return undefined;
  return { username: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/, ''), serveraddress: key };
}

/** Stores credentials in the helper or in `config.json`. Answers the path of the latter if they lie there, readable, anew. */
export async function storeCredentials(
  configDir: string,
  credentials: RegistryCredentials,
): Promise<string | undefined> {
  const config = readConfigFile(configDir);
  const { serveraddress: key, username = '', password = '', identitytoken } = credentials;
  const helper = config.credHelpers?.[key] ?? config.credsStore;
  if (helper !== undefined && helper !== '') {
    const Secret = identitytoken ?? password;
    const Username = identitytoken === undefined ? username : '<token>';
    await runHelper(helper, 'store', JSON.stringify({ ServerURL: key, Username, Secret }));
    return undefined;
  }
  const auth = Buffer.from(`${username}:${identitytoken === undefined ? password : ''}`).toString('base64');
  const entry = identitytoken === undefined ? { auth } : { auth, identitytoken };
  const before = config.auths?.[key];
  writeConfigFile(configDir, { ...config, auths: { ...config.auths, [key]: entry } });
  return before?.auth === entry.auth ? undefined : configPath(configDir);
}

/** Forgets a registry's credentials; absent ones are fine. */
export async function eraseCredentials(configDir: string, key: string): Promise<void> {
  const config = readConfigFile(configDir);
  const helper = config.credHelpers?.[key] ?? config.credsStore;
  if (helper !== undefined && helper !== '') await runHelper(helper, 'erase', key);
  if (!config.auths || !(key in config.auths)) return;
  const { [key]: _gone, ...auths } = config.auths;
  writeConfigFile(configDir, { ...config, auths });
}

/** Replaces `config.json`, readable by its owner only. */
export function writeConfigFile(configDir: string, config: ConfigFile): void {
  const path = configPath(configDir);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const partial = `${path}.${process.pid}`;
  writeFileSync(partial, JSON.stringify(config, undefined, '\t'), { mode: 0o600 });
  renameSync(partial, path);
}

async function fromHelper(helper: string, key: string): Promise<RegistryCredentials | undefined> {
  let answer: string;
  try {
    answer = await runHelper(helper, 'get', key);
  } catch (error) {
    if (error instanceof CliError && /credentials not found/.test(error.message)) return undefined;
    throw error;
  }
  const parsed: unknown = JSON.parse(answer);
  if (typeof parsed !== 'object' || parsed === null) return undefined;
  const username = 'Username' in parsed ? String(parsed.Username) : '';
  const secret = 'Secret' in parsed ? String(parsed.Secret) : '';
  if (username === '<token>') return { identitytoken: secret, serveraddress: key };
  return { username, password: secret, serveraddress: key };
}

/** Runs `docker-credential-<helper> <action>` with `input`; its output is the answer, or the error. */
async function runHelper(helper: string, action: string, input: string): Promise<string> {
  const child = spawn(`docker-credential-${helper}`, [action], { stdio: ['pipe', 'pipe', 'inherit'] });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
  const output = Buffer.concat(chunks).toString('utf8').trim();
  if (code !== 0)
    throw new CliError(`error getting credentials - err: exit status ${String(code)}, out: \`${output}\``);
  return output;
}
