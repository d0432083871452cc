import { EngineError } from '#errors';
import { hasErrno } from '../errno.ts';
import { withNetns } from '../namespaces/netns.ts';
import { type InterfaceAddress, decodeAddress, encodeAddress, encodeAddressQuery, RTM_ADDRESS } from './addresses.ts';
import { NLM_F } from './codec.ts';
import {
  decodeLink,
  encodeBridge,
  encodeLinkChange,
  encodeLinkGroup,
  encodeLinkQuery,
  encodeVeth,
  type Link,
  type LinkSettings,
  type NewLink,
  RTM_LINK,
  type VethPair,
} from './links.ts';
import { decodeRoute, encodeRoute, encodeRouteQuery, type Route, type RouteSettings, RTM_ROUTE } from './routes.ts';
import { NetlinkTransport } from './transport.ts';

/**
 * Links, addresses and routes of one network namespace: that in which the socket was opened. Synchronous, each call a
 * fraction of a millisecond. What the kernel refuses is an EngineError with its words.
 */
export interface RouteSocket extends Disposable {
  listLinks(): Link[];
  /** Undefined when there is none of that name. */
  findLink(name: string): Link | undefined;
  createBridge(settings: NewLink): void;
  /** Makes both ends in one step, the peer in the namespace of `peer.netnsFd` when given. */
  createVeth(pair: VethPair): void;
  /** Changes, renames, moves, switches on or off. */
  setLink(index: number, settings: LinkSettings): void;
  /** Deleting one end of a veth pair deletes both, and waits some 30 ms for the kernel. False when there was none. */
  deleteLink(name: string): boolean;
  /** The same for many, which takes hardly longer than for one. Those that are not there are passed over. */
  deleteLinks(names: readonly string[]): void;
  /** All, or those of one link. */
  listAddresses(linkIndex?: number): InterfaceAddress[];
  /** @throws {@link EngineError} alreadyExists */
  addAddress(address: InterfaceAddress): void;
  removeAddress(address: InterfaceAddress): void;
  /** Of all routing tables. */
  listRoutes(family: 4 | 6): Route[];
  /** @throws {@link EngineError} alreadyExists */
  addRoute(route: RouteSettings): void;
  removeRoute(route: RouteSettings): void;
}

/** The kernel deletes a group of links in one go. Nobody else has this one. */
const DOOMED_GROUP = 0x62657274;

function routeText(route: RouteSettings): string {
  const { destination } = route;
  const to = destination === undefined ? 'default' : `${destination.address}/${destination.prefixLength}`;
  return route.gateway === undefined ? to : `${to} via ${route.gateway}`;
}

class LinuxRouteSocket implements RouteSocket {
  readonly #transport = new NetlinkTransport();

  listLinks(): Link[] {
    return this.#transport.dump(RTM_LINK.GET, encodeLinkQuery(), { action: 'list links', subject: '' }).map(decodeLink);
  }

  findLink(name: string): Link | undefined {
    try {
      const body = this.#transport.query(RTM_LINK.GET, encodeLinkQuery(name), {
        action: 'get link',
        subject: name,
      });
      return body === undefined ? undefined : decodeLink(body);
    } catch (error) {
      if (hasErrno(error, 'ENODEV')) return undefined;
      throw error;
    }
  }

  createBridge(settings: NewLink): void {
    const description = { action: 'create bridge', subject: settings.name };
    this.#transport.request(RTM_LINK.NEW, NLM_F.CREATE | NLM_F.EXCL, encodeBridge(settings), description);
  }

  createVeth(pair: VethPair): void {
    const description = { action: 'create veth', subject: `${pair.name} ${pair.peer.name}` };
    this.#transport.request(RTM_LINK.NEW, NLM_F.CREATE | NLM_F.EXCL, encodeVeth(pair), description);
  }

  setLink(index: number, settings: LinkSettings): void {
    if (index <= 0) throw new EngineError('invalidArgument', 'SYS_INVALID_LINK', `invalid link index ${index}`);
    const description = { action: 'set link', subject: String(index) };
    this.#transport.request(RTM_LINK.NEW, 0, encodeLinkChange(index, settings), description);
  }

  deleteLink(name: string): boolean {
    try {
      const description = { action: 'delete link', subject: name };
      this.#transport.request(RTM_LINK.DELETE, 0, encodeLinkQuery(name), description);
      return true;
    } catch (error) {
      if (hasErrno(error, 'ENODEV')) return false;
      throw error;
    }
  }

  deleteLinks(names: readonly string[]): void {
    const description = { action: 'delete links', subject: names.join(' ') };
    const request = (type: number, body: Buffer): void => {
      try {
        this.#transport.request(type, 0, body, description);
      } catch (error) {
        // The kernel may be deleting one itself meanwhile.
        if (!hasErrno(error, 'ENODEV')) throw error;
      }
    };
    const links = names.flatMap((name) => this.findLink(name) ?? []);
    for (const { index } of links) request(RTM_LINK.NEW, encodeLinkGroup(index, DOOMED_GROUP));
    if (links.length > 0) request(RTM_LINK.DELETE, encodeLinkGroup(0, DOOMED_GROUP));
  }

  listAddresses(linkIndex = 0): InterfaceAddress[] {
    const description = { action: 'list addresses', subject: '' };
    const all = this.#transport.dump(RTM_ADDRESS.GET, encodeAddressQuery(linkIndex), description).map(decodeAddress);
    return linkIndex === 0 ? all : all.filter((address) => address.linkIndex === linkIndex);
  }

  addAddress(address: InterfaceAddress): void {
    const description = { action: 'add address', subject: `${address.address}/${address.prefixLength}` };
    this.#transport.request(RTM_ADDRESS.NEW, NLM_F.CREATE | NLM_F.EXCL, encodeAddress(address), description);
  }

  removeAddress(address: InterfaceAddress): void {
    const description = { action: 'remove address', subject: `${address.address}/${address.prefixLength}` };
    this.#transport.request(RTM_ADDRESS.DELETE, 0, encodeAddress(address), description);
  }

  listRoutes(family: 4 | 6): Route[] {
    const description = { action: 'list routes', subject: '' };
    return this.#transport.dump(RTM_ROUTE.GET, encodeRouteQuery(family), description).map(decodeRoute);
  }

  addRoute(route: RouteSettings): void {
    const description = { action: 'add route', subject: routeText(route) };
    this.#transport.request(RTM_ROUTE.NEW, NLM_F.CREATE | NLM_F.EXCL, encodeRoute(route), description);
  }

  removeRoute(route: RouteSettings): void {
    const description = { action: 'remove route', subject: routeText(route) };
    this.#transport.request(RTM_ROUTE.DELETE, 0, encodeRoute(route), description);
  }

  [Symbol.dispose](): void {
    this.#transport[Symbol.dispose]();
  }
}

/** Opens a route socket in this thread's network namespace, or in that of `netnsPath`. The caller disposes it. */
export function openRouteSocket(netnsPath?: string): RouteSocket {
  return netnsPath === undefined ? new LinuxRouteSocket() : withNetns(netnsPath, () => new LinuxRouteSocket());
}
