import { readFileSync, statSync } from 'node:fs';
import { isIP } from 'node:net';
import { RESOLVER_ADDRESS } from './redirect.ts';

/** A server that is asked for what no network knows. */
export interface Upstream {
  address: string;
  port: number;
  /** Whose network it is asked from: what a user names is meant as the container sees it, as in dockerd. */
  from: 'host' | 'container';
}

const DNS_PORT = 53;
/** Changes of the host's resolv.conf are seen within this time. */
const LOOK_AGAIN_MS = 1000;
/** What a resolv.conf without servers means: resolv.conf(5). */
const LOCAL_SERVER = '127.0.0.1';
/** libc asks three. */
const MAX_SERVERS = 3;

/** The servers of a resolv.conf. */
export function parseNameservers(text: string): string[] {
  const servers = text.split('\n').flatMap((line) => {
    const [keyword, address = ''] = line.trim().split(/\s+/);
    return keyword === 'nameserver' && isIP(address) !== 0 ? [address] : [];
  });
  return servers.slice(0, MAX_SERVERS);
}

/** Servers that the user named. The resolver's own address is left out: it would ask itself. */
export function namedUpstreams(servers: readonly string[]): Upstream[] {
  return servers
    .filter((address) => address !== RESOLVER_ADDRESS && isIP(address) !== 0)
    .map((address) => ({ address, port: DNS_PORT, from: 'container' }));
}

/**
 * The host's resolvers, as its own programs ask them: a stub on loopback (systemd-resolved, dnsmasq) is asked as it stands.
 */
export class HostResolvers {
  readonly #path: string;
  #known: { stamp: string; seenAtMs: number; upstreams: readonly Upstream[] } | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  current(nowMs: number): readonly Upstream[] {
    if (this.#known !== undefined && nowMs - this.#known.seenAtMs < LOOK_AGAIN_MS) return this.#known.upstreams;
    const stat = statSync(this.#path, { throwIfNoEntry: false });
    const stamp = stat === undefined ? '' : `${stat.ino} ${stat.mtimeMs} ${stat.size}`;
    const upstreams = stamp === this.#known?.stamp ? this.#known.upstreams : this.#read(stamp !== '');
    this.#known = { stamp, seenAtMs: nowMs, upstreams };
    return upstreams;
  }

  #read(exists: boolean): Upstream[] {
    const servers = exists ? parseNameservers(readFileSync(this.#path, 'utf8')) : [];
    return (servers.length > 0 ? servers : [LOCAL_SERVER]).map((address) => ({
      address,
      port: DNS_PORT,
      from: 'host',
    }));
  }
}
