import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Logger } from '#lib';
import type { PortProxy, ProxyTarget } from './tcp-proxy.ts';

/** A client that says nothing for so long, and is told nothing, is forgotten; as long as dockerd's proxy waits. */
const IDLE_MS = 90_000;
/** The clients that are remembered at a time; beyond it the datagrams of new ones are dropped. */
const MAX_CLIENTS = 4096;

/** Passes datagrams of a bound UDP socket on; each client has a socket of its own towards the container. */
export function proxyUdp(fd: number, address: string, target: () => ProxyTarget, logger: Logger): PortProxy {
  const front = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4', ipv6Only: true });
  const clients = new Map<string, { socket: Socket; timer: NodeJS.Timeout }>();
  const forget = (key: string): void => {
    const client = clients.get(key);
    clients.delete(key);
    clearTimeout(client?.timer);
    client?.socket.close();
  };
  const meet = (key: string, from: RemoteInfo): Socket => {
    const socket = createSocket('udp4');
    const timer = setTimeout(() => forget(key), IDLE_MS).unref();
    clients.set(key, { socket, timer });
    socket.on('error', () => forget(key));
    socket.on('message', (answer) => {
      timer.refresh();
      front.send(answer, from.port, from.address);
    });
    return socket;
  };
  front.on('error', (error) => logger.warn('a published port passes nothing on', { error }));
  front.on('message', (message, from) => {
    const key = `${from.address} ${from.port}`;
    const known = clients.get(key);
    if (known === undefined && clients.size >= MAX_CLIENTS) return;
    known?.timer.refresh();
    const { address: host, port } = target();
    (known?.socket ?? meet(key, from)).send(message, port, host);
  });
  front.bind({ fd });
  return {
    close: () => {
      for (const key of clients.keys()) forget(key);
      front.close();
    },
  };
}
