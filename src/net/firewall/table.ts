import type { NftElement, NftTable } from '#sys';
import { formatIpv4, parseCidr, subnetSize } from '../ipam/ipv4.ts';
import {
  connectionHas,
  CT_STATE,
  CT_STATUS,
  interfaceIn,
  interfacePairIn,
  ipv4SourceIn,
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

const PRIORITY = { filter: 0, sourceNat: 100 } as const;
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
 * Bridged packets come by here too where the host has bridge-nf-call-iptables on, hence the rules for the same bridge.
 */
export function describeTable(tableName: string, networks: readonly FirewallNetwork[]): NftTable {
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
        name: 'postrouting',
        base: { type: 'nat', hook: 'postrouting', priority: PRIORITY.sourceNat, policy: 'accept' },
        rules: [
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
