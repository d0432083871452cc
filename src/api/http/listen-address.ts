import { EngineError } from '#errors';

export type ListenAddress = { kind: 'unix'; path: string } | { kind: 'tcp'; host: string; port: number };

const defaultPort = 2375;

function invalid(address: string, why: string): EngineError {
  return new EngineError('invalidArgument', 'INVALID_LISTEN_ADDRESS', `invalid listen address ${address}: ${why}`);
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

function parseTcp(address: string): { host: string; port: number } {
  const match = /^tcp:\/\/(\[[0-9a-fA-F:.]+\]|[^:/[\]]*)(?::(\d{1,5}))?\/?$/.exec(address);
  if (!match) throw invalid(address, 'expected tcp://host:port');
  const host = (match[1] ?? '').replace(/^\[|\]$/g, '') || '127.0.0.1';
  const port = match[2] === undefined ? defaultPort : Number(match[2]);
  if (port > 65_535) throw invalid(address, 'port out of range');
  return { host, port };
}

/**
 * Understands `unix:///path` and `tcp://host:port`.
 *
 * @throws {@link EngineError} invalidArgument when it is neither, forbidden when it is a TCP address others can reach and
 * `allowInsecureTcp` is false: whoever reaches the API without a certificate is root on this machine.
 */
export function parseListenAddress(address: string, allowInsecureTcp: boolean): ListenAddress {
  if (address.startsWith('unix://')) {
    const path = address.slice('unix://'.length);
    if (!path.startsWith('/')) throw invalid(address, 'the path of a unix socket must be absolute');
    return { kind: 'unix', path };
  }
  if (!address.startsWith('tcp://')) throw invalid(address, 'expected unix:// or tcp://');
  const { host, port } = parseTcp(address);
  if (!isLoopback(host) && !allowInsecureTcp) {
    throw new EngineError(
      'forbidden',
      'INSECURE_TCP',
      `refusing to listen on ${address}: without TLS, everyone who reaches this address is root on this machine; ` +
        'listen on a loopback address or a unix socket, or allow insecure TCP explicitly as well',
    );
  }
  return { kind: 'tcp', host, port };
}
