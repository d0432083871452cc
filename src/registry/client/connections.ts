import http, { type ClientRequestArgs } from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { createSecureContext, type ConnectionOptions } from 'node:tls';
import { readHostCertificates, systemAuthorities } from './certificates.ts';
import type { RegistryClientOptions } from './contract.ts';
import type { RegistryLimits } from './limits.ts';
import { proxyAuthorization, ProxyRules } from './proxies.ts';
import { openTunnel } from './tunnel.ts';

/** How a request goes out: what to hand to `http.request`, and for proxies of plain http the headers they want. */
export interface Route {
  readonly agent: http.Agent;
  readonly viaProxy: URL | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

/** One agent per origin and way of checking it. The name of a connection needs no certificates in it then, which are long. */
class OriginAgent extends https.Agent {
  override getName(options?: { host?: string; port?: number | string }): string {
    return `${options?.host ?? ''}:${options?.port ?? ''}`;
  }
}

class TunnelAgent extends OriginAgent {
  readonly #open: () => Promise<Duplex>;

  constructor(options: https.AgentOptions, open: () => Promise<Duplex>) {
    super(options);
    this.#open = open;
  }

  override createConnection(
    _options: ClientRequestArgs,
    callback: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    void this.#connect(callback);
  }

  async #connect(callback: (error: Error | null, stream: Duplex) => void): Promise<void> {
    let stream: Duplex;
    try {
      stream = await this.#open();
    } catch (error) {
      (callback as (error: unknown) => void)(error);
      return;
    }
    callback(null, stream);
  }
}

const IDLE_CONNECTION_MS = 30_000;

/** The connections to all hosts: kept alive, with the certificates of each host and through the proxy that is configured for it. */
export class Connections implements Disposable {
  readonly #options: RegistryClientOptions;
  readonly #limits: RegistryLimits;
  readonly #proxies: ProxyRules;
  readonly #agents: Map<string, http.Agent>;
  #systemAuthorities: readonly string[] | undefined;

  constructor(options: RegistryClientOptions, limits: RegistryLimits) {
    this.#options = options;
    this.#limits = limits;
    this.#proxies = new ProxyRules(options.proxies);
    this.#agents = new Map();
  }

  /**
   * @param trustFor - another host whose authorities count too: a registry's own token service often has a certificate of the same authority.
   * @throws invalidArgument when the folder of the host's certificates is inconsistent.
   */
  route(url: URL, options: { verify: boolean; trustFor?: string | undefined }): Route {
    const proxy = this.#proxies.choose(url);
    const key = [url.protocol, url.host, options.verify, options.trustFor ?? '', proxy?.href ?? ''].join(' ');
    const agent = this.#agents.get(key) ?? this.#createAgent(url, options, proxy);
    this.#agents.set(key, agent);
    const plainProxy = url.protocol === 'http:' ? proxy : undefined;
    const authorization = plainProxy && proxyAuthorization(plainProxy);
    return {
      agent,
      viaProxy: plainProxy,
      headers: authorization === undefined ? {} : { 'Proxy-Authorization': authorization },
    };
  }

  [Symbol.dispose](): void {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }

  #createAgent(
    url: URL,
    options: { verify: boolean; trustFor?: string | undefined },
    proxy: URL | undefined,
  ): http.Agent {
    const keeping = { keepAlive: true, timeout: IDLE_CONNECTION_MS, maxFreeSockets: 16 };
    if (url.protocol === 'http:') {
      return proxy?.protocol === 'https:'
        ? new https.Agent({ ...keeping, ca: [...this.#system()] })
        : new http.Agent(keeping);
    }
    const tls = this.#tlsOptions(url, options);
    if (proxy === undefined) return new OriginAgent({ ...keeping, ...tls });
    const host = url.hostname.replaceAll(/^\[|\]$/g, '');
    return new TunnelAgent(keeping, () =>
      openTunnel(proxy, {
        host,
        port: url.port === '' ? 443 : Number(url.port),
        tls: { ...tls, host, ...(isIP(host) === 0 ? { servername: host } : {}) },
        userAgent: this.#options.userAgent,
        timeoutMs: this.#limits.connectMs,
      }),
    );
  }

  #tlsOptions(url: URL, options: { verify: boolean; trustFor?: string | undefined }): ConnectionOptions {
    const own = readHostCertificates(this.#options.certificateDirectories, url.host);
    const other =
      options.trustFor === undefined
        ? undefined
        : readHostCertificates(this.#options.certificateDirectories, options.trustFor);
    const material = {
      ca: [...this.#system(), ...(own?.authorities ?? []), ...(other?.authorities ?? [])],
      cert: [...(own?.certificates ?? [])],
      key: [...(own?.keys ?? [])],
    };
    const common = { rejectUnauthorized: options.verify, minVersion: 'TLSv1.2' as const };
    // Made once per host here; from its parts Node would make it for every connection. Bun knows only the parts.
    return process.versions['bun'] === undefined
      ? { ...common, secureContext: createSecureContext({ ...material, minVersion: 'TLSv1.2' }) }
      : { ...common, ...material };
  }

  #system(): readonly string[] {
    this.#systemAuthorities ??= systemAuthorities();
    return this.#systemAuthorities;
  }
}
