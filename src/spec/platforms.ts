import { EngineError } from '#errors';
import type { Platform } from './oci/image.ts';

const architectures: Readonly<Record<string, string>> = {
  x86_64: 'amd64',
  'x86-64': 'amd64',
  aarch64: 'arm64',
  i386: '386',
  armhf: 'arm',
  armel: 'arm',
};
const operatingSystems: ReadonlySet<string> = new Set(['linux', 'windows', 'darwin', 'freebsd']);

/** Spellings made one: `aarch64` is `arm64`, `arm64/v8` is `arm64`, `arm` is `arm/v7`. */
export function normalizePlatform(platform: Platform): Platform {
  const given = platform.architecture.toLowerCase();
  const architecture = architectures[given] ?? given;
  const implied = given === 'armhf' ? 'v7' : given === 'armel' ? 'v6' : architecture === 'arm' ? 'v7' : undefined;
  const stated = platform.variant?.toLowerCase();
  const numbered = stated !== undefined && /^\d/.test(stated) ? `v${stated}` : stated;
  const variant = numbered === undefined || numbered === '' ? implied : numbered;
  const isDefault = (architecture === 'arm64' && variant === 'v8') || (architecture === 'amd64' && variant === 'v1');
  const { variant: _variant, ...rest } = platform;
  const os = platform.os.toLowerCase() === 'macos' ? 'darwin' : platform.os.toLowerCase();
  return { ...rest, os, architecture, ...(variant === undefined || isDefault ? {} : { variant }) };
}

/** The platform this engine runs on. */
export function hostPlatform(): Platform {
  return process.arch === 'arm64' ? { os: 'linux', architecture: 'arm64' } : { os: 'linux', architecture: 'amd64' };
}

/**
 * Parses `linux/arm64/v8`, `linux/amd64`, or one part alone (`arm64`, `linux`); what is missing is the host's.
 *
 * @throws {@link EngineError} invalidArgument.
 */
export function parsePlatform(text: string): Platform {
  const parts = text.split('/');
  const valid = parts.length <= 3 && parts.every((part) => /^[A-Za-z0-9_.-]+$/.test(part));
  if (!valid) {
    throw new EngineError(
      'invalidArgument',
      'INVALID_PLATFORM',
      `invalid platform ${JSON.stringify(text)}: expected os[/architecture[/variant]]`,
    );
  }
  const [first = '', second, variant] = parts;
  if (second === undefined) {
    const isOs = operatingSystems.has(first.toLowerCase());
    return normalizePlatform(isOs ? { ...hostPlatform(), os: first } : { os: hostPlatform().os, architecture: first });
  }
  return normalizePlatform({ os: first, architecture: second, ...(variant === undefined ? {} : { variant }) });
}

/** `linux/arm/v7`. */
export function formatPlatform(platform: Platform): string {
  const base = `${platform.os}/${platform.architecture}`;
  return platform.variant === undefined || platform.variant === '' ? base : `${base}/${platform.variant}`;
}

/** Whether what is offered is the platform asked for. */
export function matchesPlatform(wanted: Platform, offered: Platform): boolean {
  return formatPlatform(normalizePlatform(wanted)) === formatPlatform(normalizePlatform(offered));
}
