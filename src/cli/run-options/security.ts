import { readFileSync } from 'node:fs';
import { CliError } from '../framework/errors.ts';
import { cut, goFileError, quote } from './go-values.ts';

/** What `--security-opt` comes to. */
export interface SecurityOptions {
  options: string[];
  /** `systempaths=unconfined` was given: nothing of /proc and /sys is masked or read-only. */
  unmasked: boolean;
}

/**
 * Checks security options and puts the content of a seccomp profile file in its place, since the daemon may be on
 * another machine.
 *
 * @throws {@link CliError} on unknown forms and unreadable profiles.
 */
export function parseSecurityOptions(given: readonly string[]): SecurityOptions {
  const options = given.map(parseOption);
  return {
    options: options.filter((option) => option !== 'systempaths=unconfined'),
    unmasked: options.includes('systempaths=unconfined'),
  };
}

function parseOption(option: string): string {
  let [key, value, found] = cut(option, '=');
  if (!found && key !== 'no-new-privileges') [key, value, found] = cut(option, ':');
  if ((!found || value === '') && key !== 'no-new-privileges') {
    throw new CliError(`Invalid --security-opt: ${quote(option)}`);
  }
  if (key !== 'seccomp' || value === 'builtin' || value === 'unconfined') return option;
  return `seccomp=${readProfile(value)}`;
}

function readProfile(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new CliError(`opening seccomp profile (${path}) failed: ${goFileError('open', path, error)}`);
  }
  try {
    JSON.parse(text);
  } catch (error) {
    const why = text.trim() === '' ? 'unexpected end of JSON input' : error instanceof Error ? error.message : '';
    throw new CliError(`compacting json for seccomp profile (${path}) failed: ${why}`);
  }
  return compactJson(text);
}

/** Valid JSON without the blanks between its tokens; nothing else changes, not even how numbers are written. */
function compactJson(text: string): string {
  return text.replace(/("(?:[^"\\]|\\.)*")|[ \t\r\n]+/g, (_, quoted: string | undefined) => quoted ?? '');
}
