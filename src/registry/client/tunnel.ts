import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { registryFailure } from './failures.ts';
import { proxyAuthorization } from './proxies.ts';

/** Where a tunnel ends, and how TLS is spoken through it. */
export interface TunnelTarget {
  readonly host: string;
  readonly port: number;
  readonly tls: ConnectionOptions;
  readonly userAgent: string;
  readonly timeoutMs: number;
}

/** Opens a TLS connection to the target through a proxy (RFC 9110, 9.3.6). The caller owns the socket. */
export async function openTunnel(proxy: URL, target: TunnelTarget): Promise<TLSSocket> {
  const socket = await askProxy(proxy, target);
  return connect({ ...target.tls, socket });
}

function askProxy(proxy: URL, target: TunnelTarget): Promise<Socket> {
  const authority = `${target.host.includes(':') ? `[${target.host}]` : target.host}:${target.port}`;
  const authorization = proxyAuthorization(proxy);
  return new Promise((resolve, reject) => {
    const request = (proxy.protocol === 'https:' ? https : http).request({
      host: proxy.hostname.replaceAll(/^\[|\]$/g, ''),
      port: proxy.port === '' ? undefined : Number(proxy.port),
      method: 'CONNECT',
      path: authority,
      agent: false,
      timeout: target.timeoutMs,
      headers: {
        Host: authority,
        'User-Agent': target.userAgent,
        ...(authorization === undefined ? {} : { 'Proxy-Authorization': authorization }),
      },
    });
    const refuse = (text: string): void => {
      request.destroy();
      reject(registryFailure('unavailable', 'PROXY_FAILED', text));
    };
    request.on('timeout', () => refuse('proxyconnect tcp: i/o timeout'));
    request.on('error', reject);
    request.on('response', (response) => refuse(statusText(response)));
    request.on('connect', (response, socket: Socket, head: Buffer) => {
      if (response.statusCode !== 200) {
        socket.destroy();
        refuse(statusText(response));
      } else if (head.length > 0) {
        socket.destroy();
        refuse('proxyconnect tcp: the proxy sent data before its time');
      } else {
        socket.setTimeout(0);
        resolve(socket);
      }
    });
    request.end();
  });
}

/** Go tells the status line of a proxy that refuses. */
function statusText(response: http.IncomingMessage): string {
  return response.statusMessage ?? `${response.statusCode}`;
}
