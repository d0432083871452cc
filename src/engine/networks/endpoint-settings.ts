import { isIPv4, isIPv6 } from 'node:net';
import { EngineError } from '#errors';
import type { EndpointRequest, NetworkDescription } from '#net';
import { emptyEndpointSettings, type ContainerConfig, type EndpointSettings, type HostConfig } from '#spec';

type Endpoints = Record<string, EndpointSettings>;

/**
 * The networks of a new container, by name, with what was asked of each. Nothing asked for is the network of its mode.
 * Networks that are not there keep the name that they were given: the start tells, as in dockerd.
 */
export function chooseEndpoints(
  given: Readonly<Endpoints>,
  hostConfig: Pick<HostConfig, 'NetworkMode'>,
  config: Pick<ContainerConfig, 'NetworkDisabled'>,
  findNetwork: (ref: string) => Pick<NetworkDescription, 'name'> | undefined,
): Endpoints {
  const mode = hostConfig.NetworkMode;
  if (mode.startsWith('container:')) return {};
  if (config.NetworkDisabled) return { none: emptyEndpointSettings() };
  const nameOf = (ref: string): string => (ref === 'default' ? 'bridge' : (findNetwork(ref)?.name ?? ref));
  const names = Object.keys(given);
  if (names.length === 0) return { [nameOf(mode)]: emptyEndpointSettings() };
  return Object.fromEntries(Object.entries(given).map(([ref, settings]) => [nameOf(ref), settings]));
}

function invalidSettings(network: string, code: string, problem: string): EngineError {
  return new EngineError(
    'invalidArgument',
    code,
    `invalid config for network ${network}: invalid endpoint settings:\n${problem}`,
  );
}

const IFNAME_OPTION = 'com.docker.network.endpoint.ifname';
const SYSCTLS_OPTION = 'com.docker.network.endpoint.sysctls';
/** Docker's CLI writes the options in lower case. */
const interfaceSysctl = /^(net\.(?:ipv4|ipv6|mpls)\.[\w-]+\.)(?:IFNAME|ifname)(\.[\w.-]+)=(.*)$/;

/** What the driver options ask of the interface inside the container. @throws invalidArgument with Docker's texts. */
export function interfaceSettings(
  options: Readonly<Record<string, string>>,
): Pick<EndpointRequest, 'interfaceName' | 'interfaceSysctls'> {
  const { [IFNAME_OPTION]: name, [SYSCTLS_OPTION]: sysctls } = options;
  if (name !== undefined && !/^[^\s/:]{1,15}$/.test(name)) {
    throw new EngineError(
      'invalidArgument',
      'INVALID_INTERFACE_NAME',
      `invalid interface name ${JSON.stringify(name)}`,
    );
  }
  return {
    ...(name === undefined ? {} : { interfaceName: name }),
    ...(sysctls === undefined ? {} : { interfaceSysctls: Object.fromEntries(sysctls.split(',').map(parseSysctl)) }),
  };
}

function parseSysctl(text: string): [name: string, value: string] {
  const [, before = '', after = '', value = ''] = interfaceSysctl.exec(text) ?? [];
  if (before !== '') return [`${before}IFNAME${after}`, value];
  throw new EngineError(
    'invalidArgument',
    'INVALID_INTERFACE_SYSCTL',
    `invalid endpoint settings:\nunrecognised network interface sysctl '${text}'; represent 'net.X.Y.ethN.Z=V' as 'net.X.Y.IFNAME.Z=V', 'X' must be 'ipv4', 'ipv6' or 'mpls'`,
  );
}

/**
 * What a network can give and what it cannot. The predefined ones give addresses and names as they like.
 *
 * @throws invalidArgument with Docker's texts.
 */
export function checkEndpointSettings(
  network: Pick<NetworkDescription, 'name' | 'predefined'>,
  settings: EndpointSettings,
): void {
  const { name, predefined } = network;
  const { IPv4Address = '', IPv6Address = '' } = settings.IPAMConfig ?? {};
  if (predefined && (IPv4Address !== '' || IPv6Address !== '')) {
    const problem = 'user specified IP address is supported on user defined networks only';
    throw invalidSettings(name, 'ADDRESS_ON_PREDEFINED_NETWORK', problem);
  }
  if (predefined && (settings.Aliases ?? []).length > 0) {
    throw new EngineError(
      'invalidArgument',
      'ALIAS_ON_PREDEFINED_NETWORK',
      'network-scoped alias is supported only for containers in user defined networks',
    );
  }
  if (IPv4Address !== '' && !isIPv4(IPv4Address)) {
    throw invalidSettings(name, 'INVALID_ADDRESS', `invalid IPv4 address: ${IPv4Address}`);
  }
  if (IPv6Address !== '') {
    const known = isIPv6(IPv6Address);
    const problem = known ? 'no configured subnet contains IP address' : 'invalid IPv6 address:';
    throw invalidSettings(name, 'INVALID_ADDRESS', `${problem} ${IPv6Address}`);
  }
}
