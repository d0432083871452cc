import { emptyEndpointSettings, type EndpointSettings } from '#spec';
import { CliError, FlagValueError } from '../framework/errors.ts';
import { readCsvRecord } from './csv.ts';
import { cut, isMacAddress, parseDecimal, quote } from './go-values.ts';

/** One `--network`. */
export interface NetworkAttachment {
  target: string;
  aliases: string[];
  links: string[];
  driverOptions: Record<string, string>;
  ipv4: string;
  ipv6: string;
  linkLocalIps: string[];
  mac: string;
  gatewayPriority: number;
}

function attachmentTo(target: string): NetworkAttachment {
  return {
    target,
    aliases: [],
    links: [],
    driverOptions: {},
    ipv4: '',
    ipv6: '',
    linkLocalIps: [],
    mac: '',
    gatewayPriority: 0,
  };
}

/**
 * Reads the value of `--network`: a mode or name, or `name=net,alias=a,ip=…`.
 *
 * @throws {@link FlagValueError}
 */
export function parseNetwork(text: string): NetworkAttachment {
  if (!/[0-9A-Za-z_]=[0-9A-Za-z_]/.test(text)) return attachmentTo(text);
  const attachment = attachmentTo('');
  for (const field of readCsvRecord(text)) {
    const [key, value, found] = cut(field.toLowerCase(), '=');
    if (!found || key === '') throw new FlagValueError(`invalid field ${field}`);
    setField(attachment, key.trim(), value.trim());
  }
  if (attachment.target === '') throw new FlagValueError('network name/id is not specified');
  return attachment;
}

function setField(attachment: NetworkAttachment, key: string, value: string): void {
  if (key === 'name') attachment.target = value;
  else if (key === 'alias') attachment.aliases.push(value);
  else if (key === 'ip') attachment.ipv4 = value;
  else if (key === 'ip6') attachment.ipv6 = value;
  else if (key === 'mac-address') attachment.mac = value;
  else if (key === 'link-local-ip') attachment.linkLocalIps.push(value);
  else if (key === 'driver-opt') setDriverOption(attachment.driverOptions, value);
  else if (key === 'gw-priority') {
    const priority = parseDecimal(value, 64, true);
    if (typeof priority !== 'number') throw new FlagValueError(`invalid gw-priority (${value}): ${priority}`);
    attachment.gatewayPriority = priority;
  } else throw new FlagValueError(`invalid field key ${key}`);
}

function setDriverOption(options: Record<string, string>, text: string): void {
  const [key, value, found] = cut(text, '=');
  if (!found || key === '') throw new FlagValueError('invalid key value pair format in driver options');
  options[key.trim()] = value.trim();
}

/** Whether the network was made by a user, as opposed to `default`, `bridge`, `host`, `none`, `container:…`. */
export function isUserDefinedNetwork(mode: string): boolean {
  return !['default', 'bridge', 'host', 'none'].includes(mode) && !mode.startsWith('container:');
}

/** The flags outside `--network` that describe the first network. */
export interface FirstNetworkOptions {
  aliases: readonly string[];
  links: readonly string[];
  ipv4: string;
  ipv6: string;
  mac: string;
  linkLocalIps: readonly string[];
}

/**
 * The endpoints of the create request. A single network without any option is left out (the daemon makes its endpoint
 * from `NetworkMode`), no `--network` at all gives `default`.
 *
 * @throws {@link CliError} when options contradict each other.
 */
export function parseEndpoints(
  networks: readonly NetworkAttachment[],
  first: FirstNetworkOptions,
): Record<string, EndpointSettings> {
  if (networks.length === 0) return { default: toEndpoint(withFirstOptions(attachmentTo('default'), first)) };
  const endpoints = new Map<string, EndpointSettings>();
  for (const [index, network] of networks.entries()) {
    const attachment = index === 0 ? withFirstOptions(network, first) : network;
    const endpoint = toEndpoint(attachment);
    if (endpoints.has(network.target)) {
      throw new CliError(`network ${quote(network.target)} is specified multiple times`);
    }
    if (networks.length > 1 || hasOptions(attachment)) endpoints.set(network.target, endpoint);
  }
  const userDefined = networks.filter(({ target }) => isUserDefinedNetwork(target)).length;
  if (userDefined > 0 && userDefined < networks.length) {
    throw new CliError('conflicting options: cannot attach both user-defined and non-user-defined network-modes');
  }
  return Object.fromEntries(endpoints);
}

function withFirstOptions(network: NetworkAttachment, first: FirstNetworkOptions): NetworkAttachment {
  const conflict = (both: boolean, what: string): void => {
    if (both) throw new CliError(`conflicting options: cannot specify both ${what}`);
  };
  const { aliases, links, linkLocalIps } = network;
  conflict(aliases.length > 0 && first.aliases.length > 0, '--network-alias and per-network alias');
  conflict(links.length > 0 && first.links.length > 0, '--link and per-network links');
  conflict(network.ipv4 !== '' && first.ipv4 !== '', '--ip and per-network IPv4 address');
  conflict(network.ipv6 !== '' && first.ipv6 !== '', '--ip6 and per-network IPv6 address');
  conflict(network.mac !== '' && first.mac !== '', '--mac-address and per-network MAC address');
  const both = linkLocalIps.length > 0 && first.linkLocalIps.length > 0;
  conflict(both, '--link-local-ip and per-network link-local IP addresses');
  // On the default bridge `--link` is a link of the container (HostConfig.Links), not of the endpoint.
  const ownLinks = isUserDefinedNetwork(network.target) ? first.links : [];
  return {
    ...network,
    aliases: first.aliases.length > 0 ? [...first.aliases] : aliases,
    links: ownLinks.length > 0 ? [...ownLinks] : links,
    ipv4: first.ipv4 || network.ipv4,
    ipv6: first.ipv6 || network.ipv6,
    mac: first.mac || network.mac,
    linkLocalIps: first.linkLocalIps.length > 0 ? [...first.linkLocalIps] : linkLocalIps,
  };
}

function hasOptions(network: NetworkAttachment): boolean {
  const { aliases, links, linkLocalIps, driverOptions, ipv4, ipv6, mac, gatewayPriority } = network;
  const lists = aliases.length + links.length + linkLocalIps.length + Object.keys(driverOptions).length;
  return lists > 0 || ipv4 !== '' || ipv6 !== '' || mac !== '' || gatewayPriority !== 0;
}

function toEndpoint(network: NetworkAttachment): EndpointSettings {
  const { target, aliases, links, driverOptions, mac } = network;
  if (target.trim() === '') throw new CliError('no name set for network');
  if (!isUserDefinedNetwork(target)) {
    if (aliases.length > 0) {
      throw new CliError('network-scoped aliases are only supported for user-defined networks');
    }
    if (links.length > 0) throw new CliError('links are only supported for user-defined networks');
  }
  if (mac !== '' && !isMacAddress(mac.trim())) throw new CliError(`${mac} is not a valid mac address`);
  return emptyEndpointSettings({
    IPAMConfig: ipamConfig(network),
    Links: links.length > 0 ? links : null,
    Aliases: aliases.length > 0 ? aliases : null,
    MacAddress: mac,
    DriverOpts: Object.keys(driverOptions).length > 0 ? driverOptions : null,
    GwPriority: network.gatewayPriority,
  });
}

function ipamConfig({ ipv4, ipv6, linkLocalIps }: NetworkAttachment): EndpointSettings['IPAMConfig'] {
  if (ipv4 === '' && ipv6 === '' && linkLocalIps.length === 0) return null;
  return {
    ...(ipv4 === '' ? {} : { IPv4Address: ipv4 }),
    ...(ipv6 === '' ? {} : { IPv6Address: ipv6 }),
    ...(linkLocalIps.length === 0 ? {} : { LinkLocalIPs: linkLocalIps }),
  };
}
