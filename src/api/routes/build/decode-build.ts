import { EngineError } from '#errors';
import { BUILD_EXTRAS_HEADER, BUILD_PARTS_TYPE, type RegistryAuth } from '#spec';
import { decodeAuthConfig } from '../../decode/auth-config.ts';
import {
  decodeDocument,
  flag,
  integer,
  list,
  map,
  nullable,
  struct,
  text,
  type Decoder,
} from '../../decode/go-json.ts';
import type { Exchange } from '../../http/exchange.ts';
import type { BuildOptions } from './backend.ts';

const ulimits = list(
  struct<BuildOptions['limits']['ulimits'][number]>({ Name: text(), Soft: integer(), Hard: integer() }),
);
const buildArgs = map(nullable(text()));
const labels = map(text());
const extras = struct<{ events: boolean; check: boolean; noCacheFilter: string[] | null }>({
  events: flag(),
  check: flag(),
  noCacheFilter: list(text()),
});

/** The parameters of `POST /build`. @throws invalidArgument with Docker's texts. */
export function decodeBuild(exchange: Exchange): BuildOptions {
  const { query, version } = exchange;
  return {
    source: decodeSource(exchange),
    extras: decodeExtras(exchange),
    dockerfile: query.text('dockerfile'),
    tags: query.texts('t'),
    quiet: query.flag('q'),
    noCache: query.flag('nocache'),
    pull: query.flag('pull'),
    removes: query.flag('forcerm') || query.text('rm') === '' || query.flag('rm'),
    limits: decodeLimits(exchange),
    buildArgs: new Map(Object.entries(fromJson(query.text('buildargs'), buildArgs, 'error reading build args') ?? {})),
    labels: fromJson(query.text('labels'), labels, 'error reading labels') ?? {},
    network: query.text('networkmode'),
    // The parameter came with 1.32.
    platform: version >= 32 ? query.text('platform') : '',
    target: query.text('target'),
    squash: query.flag('squash'),
    credentials: decodeRegistryConfig(exchange.headers['x-registry-config']),
    buildId: query.text('buildid'),
    signal: exchange.signal,
  };
}

function decodeExtras(exchange: Exchange): BuildOptions['extras'] {
  const json = headerText(exchange, BUILD_EXTRAS_HEADER);
  const { noCacheFilter, ...rest } = fromJson(json, extras, `error reading ${BUILD_EXTRAS_HEADER}`);
  return { ...rest, noCacheFilter: noCacheFilter ?? [] };
}

function decodeSource(exchange: Exchange): BuildOptions['source'] {
  const address = exchange.query.text('remote');
  if (headerText(exchange, 'content-type') === BUILD_PARTS_TYPE) return { kind: 'parts', body: exchange.body, address };
  return address === '' ? { kind: 'archive', body: exchange.body } : { kind: 'remote', address };
}

function headerText({ headers }: Exchange, name: string): string {
  const value = headers[name];
  return typeof value === 'string' ? value : '';
}

function decodeLimits({ query }: Exchange): BuildOptions['limits'] {
  const number = (name: string): number => query.integer(name) ?? 0;
  return {
    memoryBytes: number('memory'),
    memorySwapBytes: number('memswap'),
    cpuShares: number('cpushares'),
    cpuPeriod: number('cpuperiod'),
    cpuQuota: number('cpuquota'),
    cpusetCpus: query.text('cpusetcpus'),
    cpusetMems: query.text('cpusetmems'),
    shmSizeBytes: number('shmsize'),
    ulimits: fromJson(query.text('ulimits'), ulimits, 'error reading ulimit settings') ?? [],
    cgroupParent: query.text('cgroupparent'),
    extraHosts: query.texts('extrahosts').filter((host) => host !== ''),
    securityOptions: query.texts('securityopt').filter((option) => option !== ''),
  };
}

function fromJson<T>(json: string, decoder: Decoder<T>, what: string): T {
  if (json === '') return decoder.zero();
  try {
    return decodeDocument(decoder, JSON.parse(json) as unknown);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new EngineError('invalidArgument', 'INVALID_PARAMETER', `${what}: ${why}`, { cause: error });
  }
}

/** The header with all of a client's credentials: base64 for URLs. What cannot be read counts as none, as with Docker. */
function decodeRegistryConfig(header: string | readonly string[] | undefined): ReadonlyMap<string, RegistryAuth> {
  if (typeof header !== 'string' || header === '') return new Map();
  try {
    const all: unknown = JSON.parse(Buffer.from(header, 'base64url').toString('utf8'));
    const entries = typeof all === 'object' && all !== null ? Object.entries(all) : [];
    return new Map(
      entries.map(([registry, value]: [string, unknown]) => {
        const { serverAddress: _serverAddress, ...auth } = decodeAuthConfig(value);
        return [registry, auth];
      }),
    );
  } catch {
    return new Map();
  }
}
