/** Where a daemon listens. */
export type Endpoint =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly basePath: string };

/** PEM texts for a connection by TLS; without `ca` the system's authorities count. */
export interface TlsOptions {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** True: any certificate of the server is taken. */
  readonly skipVerify: boolean;
}

/**
 * Takes `unix:///path`, `tcp://host:port/base`, `http://…` and `https://…` apart.
 *
 * @throws Error with Docker's words for what cannot be a host.
 */
export function parseEndpoint(host: string): Endpoint {
  const cut = host.indexOf('://');
  if (cut < 0 || cut + 3 === host.length) throw new Error(`unable to parse docker host \`${host}\``);
  const protocol = host.slice(0, cut);
  const address = host.slice(cut + 3);
  if (protocol === 'unix') return { kind: 'unix', path: address };
  if (protocol === 'ssh')
    throw new Error('ssh:// hosts are not supported; forward the daemon\'s socket with "ssh -L" instead');
  if (protocol !== 'tcp' && protocol !== 'http' && protocol !== 'https') {
    throw new Error(`invalid bind address format: ${host}`);
  }
  const url = new URL(`http://${address}`);
  const standardPort = protocol === 'http' ? 80 : protocol === 'https' ? 443 : 2375;
  const explicit = /:(\d+)$/.exec(address.split('/')[0] ?? '')?.[1];
  return {
    kind: 'tcp',
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: explicit === undefined ? standardPort : Number(explicit),
    basePath: url.pathname.replace(/\/+$/, ''),
  };
}
