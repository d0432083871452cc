import type { BridgeNetwork } from './bridge/network.ts';
import type { NetworkDescription } from './contract.ts';
import type { NetworkOptions } from './options.ts';

/** The default bridge network, with Docker's names for its options. */
export function describeBridge(
  network: BridgeNetwork,
  facts: { bridgeName: string; mtu: number; options: NetworkOptions },
): NetworkDescription {
  const { id, name, created, subnet, gateway } = network.record;
  return {
    id,
    name,
    driver: 'bridge',
    scope: 'local',
    created,
    internal: false,
    enableIPv6: false,
    ipam: { subnet, gateway },
    options: {
      'com.docker.network.bridge.default_bridge': 'true',
      'com.docker.network.bridge.enable_icc': String(facts.options.interContainer !== false),
      'com.docker.network.bridge.enable_ip_masquerade': String(facts.options.ipMasquerade !== false),
      'com.docker.network.bridge.host_binding_ipv4': '0.0.0.0',
      'com.docker.network.bridge.name': facts.bridgeName,
      'com.docker.network.driver.mtu': String(facts.mtu),
    },
    endpoints: network.endpoints(),
  };
}

/** `host` and `none`. Who uses them is not known here: they hand out no addresses. */
export function describePredefined(
  id: string,
  name: string,
  driver: 'host' | 'null',
  created: string,
): NetworkDescription {
  return {
    id,
    name,
    driver,
    scope: 'local',
    created,
    internal: false,
    enableIPv6: false,
    ipam: undefined,
    options: {},
    endpoints: new Map(),
  };
}
