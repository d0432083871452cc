import { attribute, decodeAttributes, readU32, u32Attribute } from './codec.ts';
import { AF, familyOf, ipFromBytes, ipToBytes } from './addresses-text.ts';

/** Message types for routes. */
export const RTM_ROUTE = { NEW: 24, DELETE: 25, GET: 26 } as const;

const RTA = { DST: 1, OIF: 4, GATEWAY: 5, PRIORITY: 6, PREFSRC: 7, TABLE: 15 } as const;
const RT_TABLE_MAIN = 254;
const RTPROT_BOOT = 3;
const RT_SCOPE_UNIVERSE = 0;
const RT_SCOPE_LINK = 253;
const RTN_UNICAST = 1;
/** `struct rtmsg` */
const ROUTE_HEADER_SIZE = 12;

export interface Route {
  family: 4 | 6;
  /** Undefined for the default route. */
  destination: { address: string; prefixLength: number } | undefined;
  gateway: string | undefined;
  linkIndex: number | undefined;
  /** Number of the routing table; 254 is the main one. */
  table: number;
  metric: number | undefined;
  preferredSource: string | undefined;
  /** Whether it leads somewhere (as opposed to local, broadcast, blackhole, … entries). */
  unicast: boolean;
}

/** A route to add to, or remove from, the main table. A default route has no destination but a gateway or a link. */
export interface RouteSettings {
  destination?: { address: string; prefixLength: number } | undefined;
  gateway?: string | undefined;
  linkIndex?: number | undefined;
  metric?: number | undefined;
}

/** Body that adds or removes a route; its family is that of its addresses, IPv4 when it has none. */
export function encodeRoute(route: RouteSettings): Buffer {
  const destination = route.destination === undefined ? undefined : ipToBytes(route.destination.address);
  const gateway = route.gateway === undefined ? undefined : ipToBytes(route.gateway);
  const sample = destination ?? gateway;
  const header = Buffer.alloc(ROUTE_HEADER_SIZE);
  header.writeUInt8(sample === undefined ? AF.INET : familyOf(sample), 0);
  header.writeUInt8(route.destination?.prefixLength ?? 0, 1);
  header.writeUInt8(RT_TABLE_MAIN, 4);
  header.writeUInt8(RTPROT_BOOT, 5);
  header.writeUInt8(gateway === undefined ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE, 6);
  header.writeUInt8(RTN_UNICAST, 7);
  const attributes: Buffer[] = [];
  if (destination !== undefined) attributes.push(attribute(RTA.DST, destination));
  if (gateway !== undefined) attributes.push(attribute(RTA.GATEWAY, gateway));
  if (route.linkIndex !== undefined) attributes.push(u32Attribute(RTA.OIF, route.linkIndex));
  if (route.metric !== undefined) attributes.push(u32Attribute(RTA.PRIORITY, route.metric));
  return Buffer.concat([header, ...attributes]);
}

/** Body that asks for the routes of all tables. */
export function encodeRouteQuery(family: 4 | 6): Buffer {
  const header = Buffer.alloc(ROUTE_HEADER_SIZE);
  header.writeUInt8(family === 4 ? AF.INET : AF.INET6, 0);
  return header;
}

export function decodeRoute(body: Buffer): Route {
  const attributes = decodeAttributes(body.subarray(ROUTE_HEADER_SIZE));
  const text = (type: number): string | undefined => {
    const value = attributes.get(type);
    return value === undefined ? undefined : ipFromBytes(value);
  };
  const destination = text(RTA.DST);
  return {
    family: body.readUInt8(0) === AF.INET6 ? 6 : 4,
    destination: destination === undefined ? undefined : { address: destination, prefixLength: body.readUInt8(1) },
    gateway: text(RTA.GATEWAY),
    linkIndex: readU32(attributes.get(RTA.OIF)),
    table: readU32(attributes.get(RTA.TABLE)) ?? body.readUInt8(4),
    metric: readU32(attributes.get(RTA.PRIORITY)),
    preferredSource: text(RTA.PREFSRC),
    unicast: body.readUInt8(7) === RTN_UNICAST,
  };
}
