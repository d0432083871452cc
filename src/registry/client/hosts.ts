import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { DEFAULT_DOMAIN } from '#spec';

/** Where the API of Docker Hub is; its name in references is another. */
const HUB_API_HOST = 'registry-1.docker.io';
/** Where Docker Hub is searched. */
const HUB_INDEX_HOST = 'index.docker.io';

/** `docker.io` for all names of Docker Hub, also the URL under which its credentials are kept; other names without scheme and path. */
export function normalizeDomain(domain: string): string {
  const host = domain.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
  return host === HUB_API_HOST || host === HUB_INDEX_HOST ? DEFAULT_DOMAIN : host;
}

export function apiHost(domain: string): string {
  return domain === DEFAULT_DOMAIN ? HUB_API_HOST : domain;
}

export function searchHost(domain: string): string {
  return domain === DEFAULT_DOMAIN ? HUB_INDEX_HOST : domain;
}

/** The name without port and brackets. */
export function hostnameOf(host: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(host);
  if (bracketed) return bracketed[1] ?? '';
  return isIP(host) === 6 ? host : host.replace(/:\d+$/, '');
}

/** Adds `10.0.0.0/8`, `fd00::/8` or a single address to a list. @returns whether `text` was one. */
export function addBlock(list: BlockList, text: string): boolean {
  const [address = '', prefix] = text.split('/', 2);
  const family = isIP(address);
  if (family === 0) return false;
  const type = family === 4 ? 'ipv4' : 'ipv6';
  if (prefix === undefined) {
    list.addAddress(address, type);
    return true;
  }
  const bits = /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN;
  if (!(bits <= (family === 4 ? 32 : 128))) return false;
  list.addSubnet(address, bits, type);
  return true;
}

export function blockHas(list: BlockList, address: string): boolean {
  const family = isIP(address);
  return family !== 0 && list.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

/**
 * The registries that may be reached without proof of who they are: those listed by name, with or without port, and those whose
 * address is in a listed block or on the loopback, as with Docker.
 */
export class InsecureHosts {
  readonly #names: ReadonlySet<string>;
  readonly #blocks: BlockList;

  constructor(listed: readonly string[]) {
    const names = new Set<string>();
    this.#blocks = new BlockList();
    for (const text of ['127.0.0.0/8', '::1/128', ...listed]) {
      if (text.includes('/') && addBlock(this.#blocks, text)) continue;
      names.add(text.toLowerCase());
    }
    this.#names = names;
  }

  /** @param host - `name` or `name:port`. Names are looked up; one that has no address is secure. */
  async has(host: string): Promise<boolean> {
    const hostname = hostnameOf(host).toLowerCase();
    if (hostname === 'localhost' || this.isListed(host)) return true;
    if (isIP(hostname) !== 0) return blockHas(this.#blocks, hostname);
    try {
      const addresses = await lookup(hostname, { all: true });
      return addresses.some(({ address }) => blockHas(this.#blocks, address));
    } catch {
      return false;
    }
  }

  /** Whether somebody wrote this host down, by name. */
  isListed(host: string): boolean {
    return this.#names.has(host.toLowerCase()) || this.#names.has(hostnameOf(host).toLowerCase());
  }
}
