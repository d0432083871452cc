import { isIPv4, isIPv6 } from 'node:net';
import { EngineError } from '#errors';

const LOOPBACK_HOSTS = `127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::\tip6-localnet
ff00::\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
`;
/** What containers ask when the host has no resolver that they could reach, as in Docker. */
const FALLBACK_NAMESERVERS = ['8.8.8.8', '8.8.4.4'];

export interface HostsInput {
  /** The host's own file for a container on the host's network; undefined for the usual lines. */
  base?: string | undefined;
  hostname: string;
  domainname: string;
  /** The container's addresses; none without a network. */
  addresses: readonly string[];
  /** `name:address` or `name=address`; the address may be `host-gateway`. */
  extraHosts: readonly string[];
  /** What `host-gateway` means. */
  hostGateway: readonly string[];
}

/** A container's `/etc/hosts`. @throws invalidArgument for a malformed extra host, or a `host-gateway` that nobody knows. */
export function buildHostsFile(input: HostsInput): string {
  const base = input.base ?? LOOPBACK_HOSTS;
  const lines = [
    ...input.extraHosts.flatMap((extra) => parseExtraHost(extra, input.hostGateway)),
    ...input.addresses.map((address) => ownLine(address, input)),
  ];
  return `${base === '' || base.endsWith('\n') ? base : `${base}\n`}${lines.map((line) => `${line}\n`).join('')}`;
}

function ownLine(address: string, { hostname, domainname }: Pick<HostsInput, 'hostname' | 'domainname'>): string {
  const full = domainname === '' ? hostname : `${hostname}.${domainname}`;
  const short = full.split('.')[0] ?? full;
  return `${address}\t${short === full ? full : `${full} ${short}`}`;
}

/** `/etc/hosts` of a running container that got an address or lost one; what it wrote there itself stays. */
export function editHostsFile(
  text: string,
  change: { added?: string | undefined; removed?: string | undefined },
  names: Pick<HostsInput, 'hostname' | 'domainname'>,
): string {
  const { added, removed } = change;
  const gone = removed === undefined ? undefined : ownLine(removed, names);
  const kept = text.split('\n').filter((line) => line !== gone);
  if (kept.at(-1) === '') kept.pop();
  if (added !== undefined) kept.push(ownLine(added, names));
  return kept.map((line) => `${line}\n`).join('');
}

function parseExtraHost(extra: string, hostGateway: readonly string[]): string[] {
  const [, name = '', given = ''] = /^([^:=]+)[:=](.+)$/.exec(extra) ?? [];
  if (name === '') throw invalidHost(`bad format for add-host: ${JSON.stringify(extra)}`);
  if (given === 'host-gateway') {
    if (hostGateway.length === 0) {
      throw invalidHost('unable to derive the IP value for host-gateway');
    }
    return hostGateway.map((address) => `${address}\t${name}`);
  }
  const address = /^\[(.*)\]$/.exec(given)?.[1] ?? given;
  if (!isIPv4(address) && !isIPv6(address))
    throw invalidHost(`invalid IP address in add-host: ${JSON.stringify(given)}`);
  return [`${address}\t${name}`];
}

function invalidHost(message: string): EngineError {
  return new EngineError('invalidArgument', 'INVALID_EXTRA_HOST', message);
}

/** A container's `/etc/hostname`. */
export function buildHostnameFile(hostname: string): string {
  return `${hostname}\n`;
}

export interface ResolvConfInput {
  /** The host's `resolv.conf`. */
  host: string;
  /** Resolvers on the host's loopback can be reached (a container on the host's network). */
  onHostNetwork: boolean;
  /** Whether the container has IPv6; resolvers with such addresses are left out otherwise. */
  ipv6: boolean;
  /** The engine's own resolver, which asks the others in turn; undefined for a container that asks them itself. */
  resolver?: string | undefined;
  /** `HostConfig.Dns`, `DnsSearch`, `DnsOptions`: each replaces what the host has, unless empty. */
  dns: readonly string[];
  dnsSearch: readonly string[];
  dnsOptions: readonly string[];
}

/** A container's `/etc/resolv.conf`: the host's, without resolvers it could not reach, and with the user's overrides. */
export function buildResolvConf(input: ResolvConfInput): string {
  const host = parseResolvConf(input.host);
  const search = input.dnsSearch.length > 0 ? input.dnsSearch.filter((domain) => domain !== '.') : host.search;
  const options = input.dnsOptions.length > 0 ? input.dnsOptions : host.options;
  if (input.resolver !== undefined) {
    return resolvConfText([input.resolver], search, withNdots(options), [asksInTurn(input.dns, host.nameservers)]);
  }
  const usable = host.nameservers.filter(
    (address) => input.onHostNetwork || (!isLoopback(address) && (input.ipv6 || !isIPv6(address))),
  );
  const inherited = usable.length > 0 || input.onHostNetwork ? usable : FALLBACK_NAMESERVERS;
  const nameservers = input.dns.length > 0 ? input.dns : inherited;
  return resolvConfText(nameservers, search, options);
}

/** Names of one label are known to the resolver, so they are asked as they are. */
function withNdots(options: readonly string[]): readonly string[] {
  return options.some((option) => option.startsWith('ndots:')) ? options : [...options, 'ndots:0'];
}

/** The comment by which Docker tells whom its resolver asks: `host(…)` from the host, others from the container. */
function asksInTurn(own: readonly string[], host: readonly string[]): string {
  const servers = own.length > 0 ? own : host.map((address) => `host(${address})`);
  return `# ExtServers: [${servers.join(' ')}]`;
}

function resolvConfText(
  nameservers: readonly string[],
  search: readonly string[],
  options: readonly string[],
  comments: readonly string[] = [],
): string {
  const lines = [
    '# Written by Berth for this container; changes made here stay until it starts anew.',
    ...nameservers.map((address) => `nameserver ${address}`),
    ...(search.length > 0 ? [`search ${search.join(' ')}`] : []),
    ...(options.length > 0 ? [`options ${options.join(' ')}`] : []),
    ...comments,
  ];
  return lines.map((line) => `${line}\n`).join('');
}

export interface ResolvConf {
  nameservers: string[];
  search: string[];
  options: string[];
}

/** Reads a resolv.conf; of several search or options lines the last counts. */
export function parseResolvConf(text: string): ResolvConf {
  const parsed: ResolvConf = { nameservers: [], search: [], options: [] };
  for (const line of text.split('\n')) {
    const [keyword = '', ...words] = line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/);
    if (keyword === 'nameserver' && words[0] !== undefined) parsed.nameservers.push(words[0]);
    else if (keyword === 'search' || keyword === 'domain') parsed.search = words.filter((word) => word !== '.');
    else if (keyword === 'options') parsed.options = words;
  }
  return parsed;
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}
