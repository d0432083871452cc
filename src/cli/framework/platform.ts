import { CliError } from './errors.ts';

/** `os[/architecture[/variant]]` as the API takes it. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

const architectureAliases: Readonly<Record<string, string>> = {
  x86_64: 'amd64',
  'x86-64': 'amd64',
  aarch64: 'arm64',
  i386: '386',
  armhf: 'arm',
  armel: 'arm',
};

/** @throws CliError for what is no platform. */
export function parsePlatform(text: string): Platform {
  const parts = text.split('/');
  if (text === '' || parts.length > 3 || parts.some((part) => !/^[A-Za-z0-9_.-]+$/.test(part))) {
    throw new CliError(`${JSON.stringify(text)}: invalid platform: must be os[/architecture[/variant]]`);
  }
  const [first = '', architecture, variant] = parts.map((part) => part.toLowerCase());
  if (architecture === undefined) {
    const own = process.arch === 'x64' ? 'amd64' : process.arch;
    return first === 'linux' || first === 'windows' || first === 'darwin'
      ? { os: first, architecture: own }
      : { os: 'linux', architecture: architectureAliases[first] ?? first };
  }
  const known = architectureAliases[architecture] ?? architecture;
  return { os: first, architecture: known, ...(variant === undefined ? {} : { variant }) };
}

/** The `platform` parameter of API 1.49 on: a JSON object, or nothing when no platform was asked for. */
export function platformQuery(text: string): { platform?: string } {
  return text === '' ? {} : { platform: JSON.stringify(parsePlatform(text)) };
}
