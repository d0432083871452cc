import { readConfig } from '../config/read-config.ts';
import type { RegistryConfig } from '../config/schema.ts';
import type { CommandLine } from './command-line.ts';

/** Flags of every command that works with a registry's directory. */
export const commonFlags: readonly string[] = ['config', 'root'];

export const commonHelp = `      --config FILE      Configuration file
      --root DIRECTORY   Where everything is kept (default "/var/lib/berth/registry")
      --set KEY=VALUE    Set any key of the configuration
`;

/** The configuration from the file, the environment and the command line. */
export function configFrom(line: CommandLine): RegistryConfig {
  const flags: Record<string, string> = { ...line.settings };
  for (const name of ['root', 'listen']) {
    const value = line.values.get(name);
    if (value !== undefined) flags[name] = value;
  }
  return readConfig({ file: line.values.get('config'), environment: process.env, flags });
}
