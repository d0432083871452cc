import { EngineError } from '#errors';
import type { RegistryClientOptions } from '#registry';

/** How registries are reached, and how much at once. */
export interface RegistryConfig extends Omit<RegistryClientOptions, 'userAgent'> {
  maxConcurrentDownloads: number;
  maxConcurrentUploads: number;
}

type Name =
  | 'insecure-registry'
  | 'registry-mirror'
  | 'mirror'
  | 'max-concurrent-downloads'
  | 'max-concurrent-uploads'
  | 'max-download-attempts'
  | 'http-proxy'
  | 'https-proxy'
  | 'no-proxy';

/** The values given, by flag. */
export interface GivenValues {
  text(name: Name, fallback: string): string;
  list(name: Name): string[];
}

const certificateDirectories: readonly string[] = ['/etc/berth/certs.d', '/etc/docker/certs.d'];

function invalid(message: string): EngineError {
  return new EngineError('invalidArgument', 'INVALID_CONFIG', message);
}

/** `{"host": ["url", …]}` of daemon.json as the flag's `host=url`. */
export function mirrorList(value: unknown, problem: (reason: string) => EngineError): string[] {
  const expected = 'mirrors: a map of registry hosts to lists of URLs is expected';
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw problem(expected);
  return Object.entries(value).flatMap(([host, urls]: [string, unknown]) => {
    if (!Array.isArray(urls) || !urls.every((url) => typeof url === 'string')) throw problem(expected);
    return urls.map((url) => `${host}=${url}`);
  });
}

/** @throws invalidArgument with dockerd's text. */
function checkMirror(text: string): string {
  const url = URL.parse(text);
  const bad = (reason: string): EngineError => invalid(`invalid mirror: ${reason}`);
  if (!url) throw bad(`${JSON.stringify(text)} is not a valid URI`);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw bad(`unsupported scheme ${JSON.stringify(url.protocol.slice(0, -1))} in ${JSON.stringify(text)}`);
  }
  if (url.search !== '' || url.hash !== '') throw bad(`query or fragment at end of the URI ${JSON.stringify(text)}`);
  return text.replace(/\/+$/, '');
}

function mirrorsOf(given: GivenValues): Record<string, string[]> {
  const mirrors: Record<string, string[]> = {};
  const hub = given.list('registry-mirror');
  if (hub.length > 0) mirrors['docker.io'] = hub.map(checkMirror);
  for (const text of given.list('mirror')) {
    const separator = text.indexOf('=');
    if (separator < 1) throw invalid(`invalid mirror "${text}": host=URL is expected`);
    (mirrors[text.slice(0, separator)] ??= []).push(checkMirror(text.slice(separator + 1)));
  }
  return mirrors;
}

function atLeastOne(given: GivenValues, name: Name, fallback: number): number {
  const text = given.text(name, String(fallback));
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw invalid(`invalid ${name.replaceAll('-', ' ')}: ${text}`);
}

/** @param env - where proxies are looked up that are not given; lower case names count too. */
export function toRegistryConfig(
  given: GivenValues,
  env: Readonly<Record<string, string | undefined>>,
): RegistryConfig {
  const proxy = (name: 'http' | 'https' | 'no'): string => {
    const variable = `${name}_proxy`;
    return given.text(`${name}-proxy`, env[variable.toUpperCase()] ?? env[variable] ?? '');
  };
  const [http, https, none] = [proxy('http'), proxy('https'), proxy('no')];
  return {
    insecureRegistries: given.list('insecure-registry'),
    mirrors: mirrorsOf(given),
    certificateDirectories,
    proxies: {
      ...(http === '' ? {} : { http }),
      ...(https === '' ? {} : { https }),
      ...(none === '' ? {} : { none }),
    },
    maxConcurrentDownloads: atLeastOne(given, 'max-concurrent-downloads', 3),
    maxConcurrentUploads: atLeastOne(given, 'max-concurrent-uploads', 5),
    downloadAttempts: atLeastOne(given, 'max-download-attempts', 5),
  };
}
