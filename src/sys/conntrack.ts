import { isKind } from '#errors';
import { attribute, decodeAttributes, nestedAttribute } from './netlink/codec.ts';
import { NETLINK, NetlinkTransport } from './netlink/transport.ts';
import { nfgenmsg } from './nft/changes.ts';

/** Numbers of linux/netfilter/nfnetlink_conntrack.h; the subsystem's number is the upper byte. */
const CT_MSG = { GET: 0x101, DELETE: 0x102 } as const;
const CTA = { TUPLE_ORIG: 1, FILTER: 25 } as const;
const CTA_TUPLE_PROTO = 2;
const CTA_PROTO = { NUM: 1, DESTINATION_PORT: 3 } as const;
const CTA_FILTER_FLAGS = { ORIG: 1, REPLY: 2 } as const;
/** By protocol and destination port. */
const FILTER_FLAGS = 0x08 | 0x20;
const AF_INET = 2;
/** `struct nfgenmsg` */
const HEADER_BYTES = 4;
const IPPROTO_UDP = 17;

const description = { action: 'conntrack', subject: 'udp' };

function udpTuple(port: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(port);
  const proto = [attribute(CTA_PROTO.NUM, Buffer.from([IPPROTO_UDP])), attribute(CTA_PROTO.DESTINATION_PORT, bytes)];
  return nestedAttribute(CTA.TUPLE_ORIG, nestedAttribute(CTA_TUPLE_PROTO, ...proto));
}

/** Whether an entry, as the kernel lists it, is about UDP to this port. Kernels before 5.8 list what was not asked for. */
export function isUdpTo(port: number, tuple: Buffer | undefined): boolean {
  const proto = tuple && decodeAttributes(tuple).get(CTA_TUPLE_PROTO);
  const fields = proto && decodeAttributes(proto);
  const destination = fields?.get(CTA_PROTO.DESTINATION_PORT);
  return fields?.get(CTA_PROTO.NUM)?.[0] === IPPROTO_UDP && destination?.readUInt16BE(0) === port;
}

/** What the kernel knows of connections. */
export interface Conntrack {
  /**
   * Makes the kernel forget where it leads IPv4 datagrams to these ports, in this thread's network namespace; the next ones
   * are led anew. Answers how many senders that was about.
   */
  forgetUdp(ports: readonly number[]): number;
}

function filterAttribute(): Buffer {
  const flags = Buffer.alloc(4);
  flags.writeUInt32LE(FILTER_FLAGS);
  const none = Buffer.alloc(4);
  return nestedAttribute(CTA.FILTER, attribute(CTA_FILTER_FLAGS.ORIG, flags), attribute(CTA_FILTER_FLAGS.REPLY, none));
}

/** What the kernel leads by itself belongs to a tuple: addresses, protocol and ports of its first packet. */
function tuplesTo(transport: NetlinkTransport, port: number): Buffer[] {
  const body = Buffer.concat([nfgenmsg(AF_INET), udpTuple(port), filterAttribute()]);
  return transport.dump(CT_MSG.GET, body, description).flatMap((entry) => {
    const tuple = decodeAttributes(entry.subarray(HEADER_BYTES)).get(CTA.TUPLE_ORIG);
    return tuple !== undefined && isUdpTo(port, tuple) ? [tuple] : [];
  });
}

function forget(transport: NetlinkTransport, tuple: Buffer): void {
  try {
    const body = Buffer.concat([nfgenmsg(AF_INET), nestedAttribute(CTA.TUPLE_ORIG, tuple)]);
    transport.request(CT_MSG.DELETE, 0, body, description);
  } catch (error) {
    // It has just ended by itself.
    if (!isKind(error, 'notFound')) throw error;
  }
}

function forgetUdp(ports: readonly number[]): number {
  using transport = new NetlinkTransport(NETLINK.NETFILTER);
  const tuples = ports.flatMap((port) => tuplesTo(transport, port));
  for (const tuple of tuples) forget(transport, tuple);
  return tuples.length;
}

export const linuxConntrack: Conntrack = { forgetUdp };
