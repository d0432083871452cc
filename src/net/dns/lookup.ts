import { CLASS, TYPE, type Query } from './message.ts';
import type { NameIndex } from './name-index.ts';

/** A network as a container on it sees it. */
export interface VisibleNetwork {
  name: string;
  names: NameIndex;
  /** Names that this container alone has for others: its links. In lower case. */
  links: ReadonlyMap<string, string>;
}

export type Answer =
  | { kind: 'addresses'; addresses: readonly number[] }
  | { kind: 'pointer'; name: string }
  /** The name is known, but has nothing of that type. */
  | { kind: 'nothing' }
  /** None of ours. */
  | { kind: 'unknown' };

const UNKNOWN: Answer = { kind: 'unknown' };
const NOTHING: Answer = { kind: 'nothing' };
const REVERSE = '.in-addr.arpa';

function inNetwork({ names, links }: VisibleNetwork, name: string): readonly number[] | undefined {
  return names.addresses(links.get(name) ?? name);
}

/**
 * The addresses of a name: on any of the networks, then with the network's name behind it. Both may have dots, so each
 * is tried, as in dockerd.
 */
export function resolveName(networks: readonly VisibleNetwork[], name: string): readonly number[] | undefined {
  for (const network of networks) {
    const found = inNetwork(network, name);
    if (found !== undefined) return found;
  }
  for (let dot = name.lastIndexOf('.'); dot > 0; dot = name.lastIndexOf('.', dot - 1)) {
    const suffix = name.slice(dot + 1);
    for (const network of networks) {
      if (network.name.toLowerCase() !== suffix) continue;
      const found = inNetwork(network, name.slice(0, dot));
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** The address in `4.3.2.1.in-addr.arpa`. */
export function reverseAddress(name: string): number | undefined {
  if (!name.endsWith(REVERSE)) return undefined;
  const parts = name.slice(0, -REVERSE.length).split('.');
  if (parts.length !== 4) return undefined;
  let address = 0;
  for (const part of parts.toReversed()) {
    if (!/^(0|[1-9][0-9]{0,2})$/.test(part) || Number(part) > 255) return undefined;
    address = address * 256 + Number(part);
  }
  return address;
}

function resolvePointer(networks: readonly VisibleNetwork[], name: string): Answer {
  const address = reverseAddress(name);
  if (address === undefined) return UNKNOWN;
  for (const network of networks) {
    const found = network.names.nameOf(address);
    if (found !== undefined) return { kind: 'pointer', name: `${found}.${network.name}` };
  }
  return UNKNOWN;
}

/** What the networks of a container know about a question. */
export function lookup(networks: readonly VisibleNetwork[], query: Query): Answer {
  const { name, type } = query;
  if (name === undefined || name === '' || (query.class !== CLASS.IN && query.class !== CLASS.ANY)) return UNKNOWN;
  if (type === TYPE.PTR && name.endsWith(REVERSE)) return resolvePointer(networks, name);
  const addresses = resolveName(networks, name);
  if (addresses === undefined) return UNKNOWN;
  // Never asked outside: a name of ours with another type is nobody else's.
  return type === TYPE.A || type === TYPE.ANY ? { kind: 'addresses', addresses } : NOTHING;
}
