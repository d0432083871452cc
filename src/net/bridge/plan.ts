import type { InterfaceAddress, Link } from '#sys';
import { EngineError } from '#errors';

/** The bridge as it should be. */
export interface WantedBridge {
  name: string;
  macAddress: string;
  mtu: number;
  /** The gateway's address. */
  address: string;
  prefixLength: number;
  /** Marks a bridge that we make as ours; one that is there already keeps what it has. */
  alias?: string | undefined;
}

/** The bridge as the kernel has it. */
export interface CurrentBridge {
  link: Link | undefined;
  addresses: readonly InterfaceAddress[];
}

export type BridgeStep =
  | { step: 'createBridge'; name: string; macAddress: string; mtu: number }
  | { step: 'removeAddress'; address: string; prefixLength: number }
  | { step: 'addAddress'; address: string; prefixLength: number }
  | { step: 'setBridge'; macAddress?: string; mtu?: number; up?: boolean; alias?: string };

function addressSteps(current: CurrentBridge, wanted: WantedBridge): BridgeStep[] {
  const isWanted = (candidate: InterfaceAddress): boolean =>
    candidate.address === wanted.address && candidate.prefixLength === wanted.prefixLength;
  const steps: BridgeStep[] = current.addresses
    .filter((candidate) => !candidate.address.includes(':') && !isWanted(candidate))
    .map(({ address, prefixLength }) => ({ step: 'removeAddress', address, prefixLength }));
  if (!current.addresses.some(isWanted)) {
    steps.push({ step: 'addAddress', address: wanted.address, prefixLength: wanted.prefixLength });
  }
  return steps;
}

/**
 * What to do to get from one to the other.
 *
 * @throws {@link EngineError} conflict when a link of that name is no bridge.
 */
export function planBridge(current: CurrentBridge, wanted: WantedBridge): BridgeStep[] {
  const { link } = current;
  const { name, macAddress, mtu } = wanted;
  if (link === undefined) {
    return [
      { step: 'createBridge', name, macAddress, mtu },
      ...addressSteps({ link, addresses: [] }, wanted),
      { step: 'setBridge', up: true, ...(wanted.alias === undefined ? {} : { alias: wanted.alias }) },
    ];
  }
  if (link.kind !== 'bridge') {
    throw new EngineError('conflict', 'NETWORK_NOT_A_BRIDGE', `network interface ${name} exists and is not a bridge`);
  }
  const change = {
    ...(link.macAddress === macAddress ? {} : { macAddress }),
    ...(link.mtu === mtu ? {} : { mtu }),
    ...(link.up ? {} : { up: true }),
  };
  const steps = addressSteps(current, wanted);
  return Object.keys(change).length === 0 ? steps : [...steps, { step: 'setBridge', ...change }];
}
