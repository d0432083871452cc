import type { AddressBlockSpec, Endpoint, NetworkDescription, NetworkSpec } from '#net';
import { networkNotImplemented } from './errors.ts';
import type { NetworkCreateRequest, NetworkEndpoint, NetworkInspect, NetworkIpamConfig } from '#spec';

function toIpamConfig(block: NetworkDescription['blocks'][number]): NetworkIpamConfig {
  return {
    Subnet: block.subnet,
    ...(block.ipRange === undefined ? {} : { IPRange: block.ipRange }),
    Gateway: block.gateway,
    ...(block.auxiliary === undefined ? {} : { AuxiliaryAddresses: { ...block.auxiliary } }),
  };
}

/** A network as the API shows it, without its containers. */
export function toNetworkInspect(description: NetworkDescription): NetworkInspect {
  return {
    Name: description.name,
    Id: description.id,
    Created: description.created,
    Scope: description.scope,
    Driver: description.driver,
    EnableIPv4: true,
    EnableIPv6: description.enableIPv6,
    IPAM: {
      Driver: 'default',
      Options: description.predefined ? null : {},
      Config: description.blocks.map(toIpamConfig),
    },
    Internal: description.internal,
    Attachable: description.attachable,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Containers: {},
    Options: { ...description.options },
    Labels: { ...description.labels },
  };
}

/** One container of a network; without an endpoint on the networks that have none. */
export function toNetworkEndpoint(name: string, endpoint: Endpoint | undefined): NetworkEndpoint {
  return {
    Name: name,
    EndpointID: endpoint?.endpointId ?? '',
    MacAddress: endpoint?.macAddress ?? '',
    IPv4Address: endpoint ? `${endpoint.address}/${endpoint.prefixLength}` : '',
    IPv6Address: '',
  };
}

function toBlock({ Subnet, IPRange, Gateway, AuxiliaryAddresses }: NetworkIpamConfig): AddressBlockSpec {
  return {
    subnet: Subnet || undefined,
    ipRange: IPRange || undefined,
    gateway: Gateway || undefined,
    auxiliary: AuxiliaryAddresses && Object.keys(AuxiliaryAddresses).length > 0 ? AuxiliaryAddresses : undefined,
  };
}

/** @throws notImplemented for what this engine has no networks for. */
export function fromNetworkCreate(request: NetworkCreateRequest): NetworkSpec {
  if (request.ConfigOnly || (request.ConfigFrom?.Network ?? '') !== '') {
    throw networkNotImplemented('networks that only hold a configuration');
  }
  if (request.Ingress || request.Scope === 'swarm') throw networkNotImplemented('networks of a swarm');
  if (request.EnableIPv4 === false) throw networkNotImplemented('networks without IPv4');
  return {
    name: request.Name,
    driver: request.Driver,
    internal: request.Internal,
    attachable: request.Attachable,
    enableIPv6: request.EnableIPv6 ?? false,
    ipamDriver: request.IPAM?.Driver ?? '',
    blocks: (request.IPAM?.Config ?? []).map(toBlock),
    options: request.Options ?? {},
    labels: request.Labels ?? {},
  };
}
