import type { NftElement, NftSet, NftTable } from '#sys';
import type { PortProtocol } from '../contract.ts';
import { formatIpv4, parseCidr, subnetSize } from '../ipam/ipv4.ts';
import {
  connectionHas,
  CT_STATE,
  CT_STATUS,
  destinationByMap,
  interfaceIn,
  interfacePairIn,
  ipv4Loopback,
  ipv4PairIn,
  ipv4SourceIn,
  isForHost,
  isIpv4,
  verdict,
} from './rules.ts';

/** A bridge network as the firewall sees it. */
export interface FirewallNetwork {
  bridgeName: string;
  subnet: string;
  masquerade: boolean;
  /** Its containers may reach each other. */
  interContainer: boolean;
  /** Nothing goes in or out but from the host. */
  internal: boolean;
}

/** A port of the host that the kernel leads to a container. */
export interface FirewallPort {
  protocol: PortProtocol;
  hostAddress: string;
  hostPort: number;
  containerAddress: string;
  containerPort: number;
}

const PRIORITY = { raw: -300, destinationNat: -100, filter: 0, sourceNat: 100 } as const;
const PROTOCOL: Readonly<Record<PortProtocol, number>> = { tcp: 6, udp: 17, sctp: 132 };
const ANY_ADDRESS = '0.0.0.0';

/** Ports at all addresses of the host, and ports at one of them. */
const portMaps = {
  everywhere: { name: 'published', key: ['inet_proto', 'inet_service'], data: ['ipv4_addr', 'inet_service'] },
  somewhere: {
    name: 'published-at',
    key: ['ipv4_addr', 'inet_proto', 'inet_service'],
    data: ['ipv4_addr', 'inet_service'],
  },
} as const satisfies Record<string, NftSet>;

function elementOf({ protocol, hostAddress, hostPort, containerAddress, containerPort }: FirewallPort): NftElement {
  const key = [PROTOCOL[protocol], hostPort];
  return {
    key: hostAddress === ANY_ADDRESS ? key : [hostAddress, ...key],
    data: [containerAddress, containerPort],
  };
}

/** The containers that have ports, each beside itself: with its own address it would not know an answer from itself. */
const hairpin = { name: 'hairpin', key: ['ipv4_addr', 'ipv4_addr'] } as const satisfies NftSet;

/** The elements of the maps that lead these ports to their containers. */
export function portElements(ports: readonly FirewallPort[]): { set: NftSet; elements: NftElement[] }[] {
  const of = (everywhere: boolean): NftElement[] =>
    ports.filter(({ hostAddress }) => (hostAddress === ANY_ADDRESS) === everywhere).map(elementOf);
  const addresses = new Set(ports.map(({ containerAddress }) => containerAddress));
  return [
    { set: portMaps.everywhere, elements: of(true) },
    { set: portMaps.somewhere, elements: of(false) },
    { set: hairpin, elements: [...addresses].map((address) => ({ key: [address, address] })) },
  ];
}
const ADDRESS_SPACE = 2 ** 32;

/** A subnet in a set of intervals: where it begins, and the address behind it. */
function intervalOf(subnet: string): NftElement[] {
  const { base, prefixLength } = parseCidr(subnet).subnet;
  const behind = base + subnetSize({ base, prefixLength });
  const start = { key: [formatIpv4(base)] };
  return behind === ADDRESS_SPACE ? [start] : [start, { key: [formatIpv4(behind)], intervalEnd: true }];
}

/**
 * The whole of our nftables table. Chains and rules are the same whatever networks there are: those are in the sets.
 *
 * Into a network of ours come answers, what a port mapping leads there, and what starts in the same bridge; the rest is
 * dropped. What leaves to other interfaces carries the host's address. Internal networks speak to nobody but the host.
 * Everything that is not ours passes through.
 *
 * Ports of the host are led to containers where packets come in and where the host's own leave, those to loopback included;
 * with the host's loopback address or from the container's own bridge they would be answered past us, so they carry the
 * bridge's address on. As the bridges take part in 127.0.0.0/8 for that, nobody there may speak to it or as it, and nobody
 * else may reach a port that is published on loopback.
 *
 * Bridged packets come by here too where the host has bridge-nf-call-iptables on, hence the rules for the same bridge.
 */
export function describeTable(
  tableName: string,
  networks: readonly FirewallNetwork[],
  ports: readonly FirewallPort[] = [],
): NftTable {
  const linked = networks.filter((network) => network.interContainer);
  const internal = networks.filter((network) => network.internal);
  const masqueraded = networks.filter((network) => network.masquerade && !network.internal);
  return {
    family: 'inet',
    table: tableName,
    sets: [
      { name: 'bridges', key: ['ifname'], elements: networks.map(({ bridgeName }) => ({ key: [bridgeName] })) },
      {
        name: 'linked',
        key: ['ifname', 'ifname'],
        elements: linked.map(({ bridgeName }) => ({ key: [bridgeName, bridgeName] })),
      },
      { name: 'internal', key: ['ifname'], elements: internal.map(({ bridgeName }) => ({ key: [bridgeName] })) },
      {
        name: 'masqueraded',
        key: ['ipv4_addr'],
        interval: true,
        elements: masqueraded.flatMap(({ subnet }) => intervalOf(subnet)),
      },
      {
        name: 'same',
        key: ['ifname', 'ifname'],
        elements: networks.map(({ bridgeName }) => ({ key: [bridgeName, bridgeName] })),
      },
      ...portElements(ports).map(({ set, elements }) => ({ ...set, elements })),
    ],
    chains: [
      {
        name: 'internal-only',
        rules: [[...interfacePairIn('linked'), ...verdict('accept')], verdict('drop')],
      },
      {
        name: 'to-bridge',
        rules: [
          [...connectionHas('state', CT_STATE.established | CT_STATE.related), ...verdict('accept')],
          [...connectionHas('status', CT_STATUS.dnat), ...verdict('accept')],
          [...interfacePairIn('linked'), ...verdict('accept')],
          verdict('drop'),
        ],
      },
      {
        name: 'forward',
        base: { type: 'filter', hook: 'forward', priority: PRIORITY.filter, policy: 'accept' },
        rules: [
          [...interfaceIn('iifname', 'internal'), ...verdict({ jump: 'internal-only' })],
          [...interfaceIn('oifname', 'internal'), ...verdict({ jump: 'internal-only' })],
          [...interfaceIn('oifname', 'bridges'), ...verdict({ jump: 'to-bridge' })],
        ],
      },
      {
        name: 'publish',
        rules: [
          [...isForHost(), ...isIpv4(), ...destinationByMap(portMaps.somewhere.name, true)],
          [...isForHost(), ...isIpv4(), ...destinationByMap(portMaps.everywhere.name, false)],
        ],
      },
      {
        name: 'loopback-guard',
        base: { type: 'filter', hook: 'prerouting', priority: PRIORITY.raw, policy: 'accept' },
        rules: [
          [...isIpv4(), ...ipv4Loopback('destination'), ...interfaceIn('iifname', 'bridges'), ...verdict('drop')],
          [...isIpv4(), ...ipv4Loopback('source'), ...interfaceIn('iifname', 'bridges'), ...verdict('drop')],
        ],
      },
      {
        name: 'prerouting',
        base: { type: 'nat', hook: 'prerouting', priority: PRIORITY.destinationNat, policy: 'accept' },
        rules: [[...isIpv4(), ...ipv4Loopback('destination'), ...verdict('accept')], verdict({ jump: 'publish' })],
      },
      {
        name: 'output',
        base: { type: 'nat', hook: 'output', priority: PRIORITY.destinationNat, policy: 'accept' },
        rules: [verdict({ jump: 'publish' })],
      },
      {
        name: 'postrouting',
        base: { type: 'nat', hook: 'postrouting', priority: PRIORITY.sourceNat, policy: 'accept' },
        rules: [
          [...interfaceIn('oifname', 'bridges'), ...isIpv4(), ...ipv4Loopback('source'), { op: 'masquerade' }],
          [...connectionHas('status', CT_STATUS.dnat), ...interfacePairIn('same'), { op: 'masquerade' }],
          [...isIpv4(), ...connectionHas('status', CT_STATUS.dnat), ...ipv4PairIn('hairpin'), { op: 'masquerade' }],
          [
            ...interfaceIn('oifname', 'bridges', true),
            ...isIpv4(),
            ...ipv4SourceIn('masqueraded'),
            { op: 'masquerade' },
          ],
        ],
      },
    ],
  };
}
