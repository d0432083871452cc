import {
  attribute,
  type Attributes,
  decodeAttributes,
  nestedAttribute,
  readText,
  readU32,
  textAttribute,
  u32Attribute,
} from './codec.ts';
import { macFromBytes, macToBytes } from './addresses-text.ts';

/** Message types for links. */
export const RTM_LINK = { NEW: 16, DELETE: 17, GET: 18 } as const;

/** Attributes of a link; see rtnetlink(7) and linux/if_link.h. */
const IFLA = {
  ADDRESS: 1,
  IFNAME: 3,
  MTU: 4,
  LINK: 5,
  MASTER: 10,
  OPERSTATE: 16,
  LINKINFO: 18,
  IFALIAS: 20,
  STATS64: 23,
  GROUP: 27,
  NET_NS_FD: 28,
} as const;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const IFLA_INFO_SLAVE_KIND = 4;
const IFLA_INFO_SLAVE_DATA = 5;
const IFLA_BRPORT_MODE = 4;
const IFLA_BRPORT_ISOLATED = 33;
const VETH_INFO_PEER = 1;

const IFF_UP = 1;
/** `struct ifinfomsg` */
const LINK_HEADER_SIZE = 16;

const operStates = ['unknown', 'notPresent', 'down', 'lowerLayerDown', 'testing', 'dormant', 'up'] as const;

export interface LinkStats {
  rxPackets: number;
  txPackets: number;
  rxBytes: number;
  txBytes: number;
  rxErrors: number;
  txErrors: number;
  rxDropped: number;
  txDropped: number;
}

export interface Link {
  index: number;
  name: string;
  /** Driver: `bridge`, `veth`, …; undefined for hardware and loopback. */
  kind: string | undefined;
  macAddress: string | undefined;
  mtu: number;
  /** Switched on; whether it carries traffic is `operState`. */
  up: boolean;
  operState: (typeof operStates)[number];
  /** Index of the bridge it is a port of. */
  masterIndex: number | undefined;
  /** A free text that its maker left. */
  alias: string | undefined;
  stats: LinkStats | undefined;
}

/** What a link is given, when made or later. */
export interface LinkSettings {
  name?: string | undefined;
  macAddress?: string | undefined;
  mtu?: number | undefined;
  up?: boolean | undefined;
  /** Index of the bridge to become a port of; 0 leaves it. */
  masterIndex?: number | undefined;
  /** Only for existing links; the kernel ignores it in making one. */
  alias?: string | undefined;
  /** A port of a bridge: whether it is kept from other such ports. */
  isolated?: boolean | undefined;
  /** A port of a bridge: whether what comes from it may go back to it. */
  hairpin?: boolean | undefined;
  /** Moves it to the network namespace of this fd. */
  netnsFd?: number | undefined;
}

/** What a new link is given. */
export interface NewLink extends Omit<LinkSettings, 'alias' | 'isolated' | 'hairpin'> {
  name: string;
}

/** A pair of links joined like the ends of a cable. */
export interface VethPair extends NewLink {
  peer: NewLink;
}

function portAttributes({ isolated, hairpin }: LinkSettings): Buffer[] {
  const flag = (type: number, on: boolean): Buffer => attribute(type, Buffer.from([on ? 1 : 0]));
  return [
    ...(isolated === undefined ? [] : [flag(IFLA_BRPORT_ISOLATED, isolated)]),
    ...(hairpin === undefined ? [] : [flag(IFLA_BRPORT_MODE, hairpin)]),
  ];
}

function linkHeader(index: number, up: boolean | undefined): Buffer {
  const header = Buffer.alloc(LINK_HEADER_SIZE);
  header.writeInt32LE(index, 4);
  if (up !== undefined) {
    header.writeUInt32LE(up ? IFF_UP : 0, 8);
    header.writeUInt32LE(IFF_UP, 12);
  }
  return header;
}

function settingAttributes(settings: LinkSettings): Buffer[] {
  const attributes: Buffer[] = [];
  if (settings.name !== undefined) attributes.push(textAttribute(IFLA.IFNAME, settings.name));
  if (settings.macAddress !== undefined) attributes.push(attribute(IFLA.ADDRESS, macToBytes(settings.macAddress)));
  if (settings.mtu !== undefined) attributes.push(u32Attribute(IFLA.MTU, settings.mtu));
  if (settings.masterIndex !== undefined) attributes.push(u32Attribute(IFLA.MASTER, settings.masterIndex));
  if (settings.alias !== undefined) attributes.push(textAttribute(IFLA.IFALIAS, settings.alias));
  if (settings.netnsFd !== undefined) attributes.push(u32Attribute(IFLA.NET_NS_FD, settings.netnsFd));
  const ofPort = portAttributes(settings);
  if (ofPort.length > 0) {
    const data = nestedAttribute(IFLA_INFO_SLAVE_DATA, ...ofPort);
    attributes.push(nestedAttribute(IFLA.LINKINFO, textAttribute(IFLA_INFO_SLAVE_KIND, 'bridge'), data));
  }
  return attributes;
}

function encodeLink(index: number, settings: LinkSettings, ...more: readonly Buffer[]): Buffer {
  return Buffer.concat([linkHeader(index, settings.up), ...settingAttributes(settings), ...more]);
}

/** Body that makes a bridge. */
export function encodeBridge(settings: NewLink): Buffer {
  return encodeLink(0, settings, nestedAttribute(IFLA.LINKINFO, textAttribute(IFLA_INFO_KIND, 'bridge')));
}

/** Body that makes a veth pair, with the peer at once in its own namespace. */
export function encodeVeth(pair: VethPair): Buffer {
  const { peer, ...near } = pair;
  const peerAttribute = nestedAttribute(VETH_INFO_PEER, encodeLink(0, peer));
  const info = [textAttribute(IFLA_INFO_KIND, 'veth'), nestedAttribute(IFLA_INFO_DATA, peerAttribute)];
  return encodeLink(0, near, nestedAttribute(IFLA.LINKINFO, ...info));
}

/** Body that changes an existing link. */
export function encodeLinkChange(index: number, settings: LinkSettings): Buffer {
  return encodeLink(index, settings);
}

/** Body that names a link to get or delete; without a name all of them. */
export function encodeLinkQuery(name?: string): Buffer {
  return encodeLink(0, { name });
}

/** Body that puts a link into a group, and one that names all links of it. Group 0 is where links are otherwise. */
export function encodeLinkGroup(index: number, group: number): Buffer {
  return encodeLink(index, {}, u32Attribute(IFLA.GROUP, group));
}

/** `struct rtnl_link_stats64`: 64-bit counters, of which the first eight are these. */
function decodeStats(value: Buffer | undefined): LinkStats | undefined {
  if (value === undefined || value.length < 64) return undefined;
  const counter = (index: number): number => Number(value.readBigUInt64LE(index * 8));
  return {
    rxPackets: counter(0),
    txPackets: counter(1),
    rxBytes: counter(2),
    txBytes: counter(3),
    rxErrors: counter(4),
    txErrors: counter(5),
    rxDropped: counter(6),
    txDropped: counter(7),
  };
}

function decodeKind(attributes: Attributes): string | undefined {
  const info = attributes.get(IFLA.LINKINFO);
  return info === undefined ? undefined : readText(decodeAttributes(info).get(IFLA_INFO_KIND));
}

export function decodeLink(body: Buffer): Link {
  const attributes = decodeAttributes(body.subarray(LINK_HEADER_SIZE));
  const mac = attributes.get(IFLA.ADDRESS);
  return {
    index: body.readInt32LE(4),
    name: readText(attributes.get(IFLA.IFNAME)) ?? '',
    kind: decodeKind(attributes),
    macAddress: mac === undefined || mac.length === 0 ? undefined : macFromBytes(mac),
    mtu: readU32(attributes.get(IFLA.MTU)) ?? 0,
    up: (body.readUInt32LE(8) & IFF_UP) !== 0,
    operState: operStates[attributes.get(IFLA.OPERSTATE)?.[0] ?? 0] ?? 'unknown',
    masterIndex: readU32(attributes.get(IFLA.MASTER)),
    alias: readText(attributes.get(IFLA.IFALIAS)),
    stats: decodeStats(attributes.get(IFLA.STATS64)),
  };
}
