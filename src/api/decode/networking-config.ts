import type { EndpointIPAMConfig, EndpointSettings, NetworkingConfig } from '#spec';
import { integer, list, map, nullable, optional, orEmpty, struct, type StructDecoder, text } from './go-json.ts';

/** Docker's `network.EndpointSettings`. */
export const endpointSettings: StructDecoder<EndpointSettings> = struct<EndpointSettings>({
  IPAMConfig: nullable(
    struct<EndpointIPAMConfig>({
      IPv4Address: optional(text()),
      IPv6Address: optional(text()),
      LinkLocalIPs: optional(list(text())),
    }),
  ),
  Links: list(text()),
  Aliases: list(text()),
  MacAddress: text(),
  DriverOpts: map(text()),
  GwPriority: integer('int'),
  NetworkID: text(),
  EndpointID: text(),
  Gateway: text(),
  IPAddress: text(),
  IPPrefixLen: integer('int'),
  IPv6Gateway: text(),
  GlobalIPv6Address: text(),
  GlobalIPv6PrefixLen: integer('int'),
  DNSNames: list(text()),
});

/** Docker's `network.NetworkingConfig`. */
export const networkingConfig: StructDecoder<NetworkingConfig> = struct<NetworkingConfig>({
  EndpointsConfig: orEmpty(map(endpointSettings), () => ({})),
});
