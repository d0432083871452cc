import { openRouteSocket, type RouteSocket } from './route-socket.ts';

/** rtnetlink(7). */
export interface Netlink {
  openRouteSocket(netnsPath?: string): RouteSocket;
}

export const linuxNetlink: Netlink = { openRouteSocket };
