import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, parse } from 'node:path';
import { EngineError } from '#errors';
import { isErrno } from '#lib';

/** Where plugins are looked for, in this order. */
export interface PluginDirectories {
  /** Hold `<name>.sock` or `<name>/<name>.sock`. */
  sockets: readonly string[];
  /** Hold `<name>.spec` (an address) or `<name>.json`, each also in a directory of that name. */
  specs: readonly string[];
}

/** How a plugin is reached. */
export interface PluginAddress {
  /** `unix:///path`, `tcp://host:port`, `http://…`, `https://…` */
  url: string;
  tls?: PluginTls | undefined;
}

/** Files for TLS, as the json form names them. */
export interface PluginTls {
  InsecureSkipVerify?: boolean;
  CAFile?: string;
  CertFile?: string;
  KeyFile?: string;
}

/** Docker's directories, and ours beside them. */
export function pluginDirectories(execRoot: string): PluginDirectories {
  return {
    sockets: [join(execRoot, 'plugins'), '/run/docker/plugins'],
    specs: ['/etc/berth/plugins', '/etc/docker/plugins', '/usr/lib/docker/plugins'],
  };
}

/** Names of all plugins there are files of. */
export function listPlugins({ sockets, specs }: PluginDirectories): string[] {
  const found = new Set<string>();
  for (const [directories, extensions] of [
    [sockets, ['.sock']],
    [specs, ['.spec', '.json']],
  ] as const) {
    for (const directory of directories) {
      for (const entry of names(directory)) {
        const { name, ext } = parse(entry);
        if (extensions.some((extension) => extension === ext)) found.add(name);
        else if (extensions.some((extension) => exists(join(directory, entry, entry + extension)))) found.add(entry);
      }
    }
  }
  return [...found];
}

/**
 * Where a plugin is; undefined when there is none of that name.
 *
 * @throws invalidArgument for a specification that cannot be read.
 */
export function findPlugin(name: string, { sockets, specs }: PluginDirectories): PluginAddress | undefined {
  if (name === '' || name.startsWith('.') || name.includes('/')) return undefined;
  const places = (directories: readonly string[], extension: string): string[] =>
    directories.flatMap((each) => [join(each, name + extension), join(each, name, name + extension)]);
  const socket = places(sockets, '.sock').find(isSocket);
  if (socket !== undefined) return { url: `unix://${socket}` };
  const spec = specs.flatMap((each) => [...places([each], '.spec'), ...places([each], '.json')]).find(exists);
  if (spec === undefined) return undefined;
  const text = readFileSync(spec, 'utf8');
  const address = spec.endsWith('.json') ? parseJson(text, spec) : { url: text.trim() };
  if (!/^[a-z]+:\/\//.test(address.url)) throw unreadable(spec, 'Unknown protocol');
  return address;
}

function parseJson(text: string, path: string): PluginAddress {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw unreadable(path, cause instanceof Error ? cause.message : String(cause));
  }
  if (typeof document !== 'object' || document === null) throw unreadable(path, 'not an object');
  const url = 'Addr' in document && typeof document.Addr === 'string' ? document.Addr : '';
  const tls = 'TLSConfig' in document && typeof document.TLSConfig === 'object' ? document.TLSConfig : null;
  if (tls === null) return { url };
  const given: Record<string, unknown> = { ...tls };
  const file = (key: 'CAFile' | 'CertFile' | 'KeyFile'): Partial<PluginTls> =>
    typeof given[key] === 'string' && given[key] !== '' ? { [key]: given[key] } : {};
  const files = { ...file('CAFile'), ...file('CertFile'), ...file('KeyFile') };
  // As in Docker, without an authority of its own a plugin's certificate is taken as it is.
  return { url, tls: { ...files, InsecureSkipVerify: given['InsecureSkipVerify'] === true || !files.CAFile } };
}

function unreadable(path: string, reason: string): EngineError {
  return new EngineError('invalidArgument', 'BAD_PLUGIN_SPEC', `plugin specification ${path}: ${reason}`);
}

function names(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return [];
    throw error;
  }
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

function isSocket(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isSocket() === true;
}
