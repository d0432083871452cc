import { BlockList, isIP } from 'node:net';
import { EngineError } from '#errors';
import type { RegistryClientOptions } from './contract.ts';
import { addBlock, blockHas } from './hosts.ts';

/** Chooses the proxy of a request by the rules of `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`. */
export class ProxyRules {
  readonly #http: URL | undefined;
  readonly #https: URL | undefined;
  readonly #everythingDirect: boolean;
  readonly #blocks: BlockList;
  readonly #names: readonly { readonly suffix: string; readonly itself: boolean; readonly port: string }[];

  /** @throws {@link EngineError} invalidArgument when the URL of a proxy is none. */
  constructor(proxies: RegistryClientOptions['proxies']) {
    this.#http = parseProxy(proxies.http);
    this.#https = parseProxy(proxies.https);
    this.#blocks = new BlockList();
    const entries = (proxies.none ?? '').split(',').map((entry) => entry.trim().toLowerCase());
    this.#everythingDirect = entries.includes('*');
    this.#names = entries.flatMap((entry) => {
      if (entry === '' || addBlock(this.#blocks, entry.replaceAll(/^\[|\]$/g, ''))) return [];
      return [parseName(entry)];
    });
  }

  /** Undefined: directly. Loopback always is direct, as with Go's clients. */
  choose(url: URL): URL | undefined {
    const proxy = url.protocol === 'https:' ? this.#https : this.#http;
    return proxy === undefined || this.#isDirect(url) ? undefined : proxy;
  }

  #isDirect(url: URL): boolean {
    const hostname = url.hostname.replaceAll(/^\[|\]$/g, '').toLowerCase();
    if (this.#everythingDirect || hostname === 'localhost' || isLoopback(hostname)) return true;
    if (isIP(hostname) !== 0 && blockHas(this.#blocks, hostname)) return true;
    const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
    return this.#names.some(
      (rule) =>
        (rule.port === '' || rule.port === port) &&
        (hostname.endsWith(`.${rule.suffix}`) || (rule.itself && hostname === rule.suffix)),
    );
  }
}

function isLoopback(hostname: string): boolean {
  return hostname === '::1' || (isIP(hostname) === 4 && hostname.startsWith('127.'));
}

/** `example.com` covers itself and what is below it, `.example.com` and `*.example.com` only what is below. */
function parseName(entry: string): { suffix: string; itself: boolean; port: string } {
  const [, name = entry, port = ''] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
  const below = name.replace(/^\*?\./, '');
  return { suffix: below.replaceAll(/^\[|\]$/g, ''), itself: below === name, port };
}

function parseProxy(text: string | undefined): URL | undefined {
  if (text === undefined || text === '') return undefined;
  const full = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.canParse(full) ? new URL(full) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    // The text may hold a password.
    throw new EngineError('invalidArgument', 'INVALID_PROXY', 'invalid proxy: it must be an http or https URL');
  }
  return url;
}

/** `Proxy-Authorization` for the user and password of a proxy's URL. */
export function proxyAuthorization(proxy: URL): string | undefined {
  if (proxy.username === '') return undefined;
  const pair = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}
