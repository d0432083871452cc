import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Logger } from '#lib';

/** Where a port leads; it may change while the port stays. */
export interface ProxyTarget {
  address: string;
  port: number;
}

/** Something that passes on what comes in at a socket, which it owns. */
export interface PortProxy {
  /** Connections end with it. */
  close(): void;
}

function join(client: Socket, target: ProxyTarget): Socket {
  const upstream = connect({ host: target.address, port: target.port, allowHalfOpen: true, noDelay: true });
  const end = (): void => {
    client.destroy();
    upstream.destroy();
  };
  client.on('error', end);
  upstream.on('error', end);
  client.on('close', () => upstream.destroy());
  upstream.on('close', () => client.destroy());
  client.pipe(upstream);
  upstream.pipe(client);
  return upstream;
}

/** Passes the connections of a bound TCP socket on. The ends of both directions pass through one by one. */
export function proxyTcp(fd: number, target: () => ProxyTarget, logger: Logger): PortProxy {
  const open = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    open.add(client);
    client.once('close', () => open.delete(client));
    join(client, target());
  });
  server.on('error', (error) => logger.warn('a published port cannot be listened at', { error }));
  server.listen({ fd });
  return {
    close: () => {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}
