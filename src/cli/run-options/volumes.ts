import { isAbsolute, resolve } from 'node:path';
import { CliError } from '../framework/errors.ts';
import { cut } from './go-values.ts';

/** What the `-v` options of a command line come to. */
export interface VolumeOptions {
  /** `source:target[:options]` for `HostConfig.Binds`. */
  binds: string[];
  /** Targets that get an anonymous volume. */
  anonymous: Record<string, Record<string, never>>;
}

/**
 * Sorts `-v` values into binds and anonymous volumes; a relative source becomes absolute here, on the client.
 *
 * @throws {@link CliError} on an empty section or too many colons.
 */
export function parseVolumes(specs: readonly string[]): VolumeOptions {
  const binds: string[] = [];
  const anonymous: Record<string, Record<string, never>> = {};
  for (const spec of new Set(specs)) {
    const source = volumeSource(spec);
    if (source === '') anonymous[spec] = {};
    else binds.push(isPath(source) ? withAbsoluteSource(spec) : spec);
  }
  return { binds, anonymous };
}

/** The source part of a volume, `''` if it has none. A single letter before a colon is a Windows drive, not a section. */
function volumeSource(spec: string): string {
  const bytes = Buffer.byteLength(spec);
  if (bytes === 0) throw new CliError('invalid empty volume spec');
  if (bytes <= 2) return '';
  const sections = splitSections(spec);
  const fail = (why: string): never => {
    throw new CliError(`invalid spec: ${spec}: ${why}`);
  };
  for (const [index, section] of sections.entries()) {
    if (section === '') return fail('empty section between colons');
    if (index === 2 && sections.length > 3) return fail('too many colons');
  }
  return sections.length === 1 ? '' : (sections[0] ?? '');
}

function splitSections(spec: string): string[] {
  const sections: string[] = [];
  let section = '';
  for (const char of spec) {
    if (char === ':' && !/^\p{L}$/u.test(section)) {
      sections.push(section);
      section = '';
    } else {
      section += char;
    }
  }
  return [...sections, section];
}

function isPath(source: string): boolean {
  return /^[./~]/.test(source) || source.startsWith('\\\\') || /^\p{L}:/u.test(source);
}

function withAbsoluteSource(spec: string): string {
  const [host, rest, found] = cut(spec, ':');
  if (!found || isAbsolute(host) || !host.startsWith('.')) return spec;
  return `${resolve(host)}:${rest}`;
}
