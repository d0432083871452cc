import { EngineError } from '#errors';
import { parseChallenges, type Challenge } from '../protocol/challenges.ts';
import type { RegistryClientOptions } from './contract.ts';
import { connectionFailureOf, isTransient } from './failures.ts';
import { apiHost } from './hosts.ts';
import { sendFollowing, type Following } from './redirects.ts';
import { discard } from './body.ts';
import { SingleFlight } from './single-flight.ts';
import { headerOf } from './transport.ts';

/** One server that speaks the registry protocol: a registry, or a mirror of one. */
export interface Endpoint {
  /** With a slash at its end; `v2/…` is appended. Without user and password. */
  readonly base: URL;
  readonly verify: boolean;
  /** Plain http, or a host that proves nothing: its token service need not do better. */
  readonly isInsecure: boolean;
  readonly isMirror: boolean;
  /** User and password of a mirror's URL. Nothing else is told to mirrors. */
  readonly mirrorUser?: { readonly username: string; readonly password: string } | undefined;
  /** What the server last wanted to see. */
  challenges: readonly Challenge[];
}

/** Who is not there after the first long wait will not be after five of them. */
function asFinal(error: EngineError): EngineError {
  return new EngineError(error.kind, error.code, error.message, {
    cause: error.cause,
    details: { ...error.details, transient: false },
  });
}

/** Finds out how registries are reached, and remembers. */
export class Endpoints {
  readonly #tools: Following;
  readonly #mirrors: RegistryClientOptions['mirrors'];
  readonly #registries: Map<string, Endpoint>;
  readonly #mirrorEndpoints: Map<string, Endpoint>;
  readonly #pausedUntilMs: Map<Endpoint, number>;
  readonly #flights: SingleFlight<Endpoint>;

  constructor(tools: Following, mirrors: RegistryClientOptions['mirrors']) {
    this.#tools = tools;
    this.#mirrors = mirrors;
    this.#registries = new Map();
    this.#mirrorEndpoints = new Map();
    this.#pausedUntilMs = new Map();
    this.#flights = new SingleFlight();
  }

  /** The registry itself. Asks it, the first time, for its scheme and what it wants to see. @throws as {@link sendFollowing} */
  async registry(domain: string, signal: AbortSignal): Promise<Endpoint> {
    const known = this.#registries.get(domain);
    if (known) return known;
    return await this.#flights.run(domain, signal, async (shared) => {
      try {
        const endpoint = await this.#discover(apiHost(domain), shared);
        this.#registries.set(domain, endpoint);
        return endpoint;
      } catch (error) {
        throw isTransient(error) && connectionFailureOf(error) === 'timeout' ? asFinal(error as EngineError) : error;
      }
    });
  }

  /** As {@link registry}, asking again even if it was asked before. */
  async fresh(domain: string, signal: AbortSignal): Promise<Endpoint> {
    this.#registries.delete(domain);
    return await this.registry(domain, signal);
  }

  /** A host of which everything is known: https, and it proves who it is. */
  known(host: string): Endpoint {
    return { base: new URL(`https://${host}/`), verify: true, isInsecure: false, isMirror: false, challenges: [] };
  }

  /** Forgets how a registry was reached, since it cannot be any more. */
  forget(endpoint: Endpoint): void {
    for (const [domain, known] of this.#registries) if (known === endpoint) this.#registries.delete(domain);
  }

  /** The mirrors of a registry that did not fail lately, in their order. */
  async mirrors(domain: string): Promise<Endpoint[]> {
    const urls = Object.hasOwn(this.#mirrors, domain) ? (this.#mirrors[domain] ?? []) : [];
    const endpoints = await Promise.all(urls.map((url) => this.#mirror(url)));
    return endpoints.filter((endpoint) => (this.#pausedUntilMs.get(endpoint) ?? 0) <= performance.now());
  }

  /** A mirror that could not be reached is not asked again for a while. */
  pause(mirror: Endpoint): void {
    this.#pausedUntilMs.set(mirror, performance.now() + this.#tools.limits.mirrorPauseMs);
  }

  async #mirror(text: string): Promise<Endpoint> {
    const known = this.#mirrorEndpoints.get(text);
    if (known) return known;
    const base = new URL(/^https?:\/\//.test(text) ? text : `https://${text}`);
    const { username, password } = base;
    base.username = '';
    base.password = '';
    base.search = '';
    base.hash = '';
    if (!base.pathname.endsWith('/')) base.pathname += '/';
    const isInsecure = await this.#tools.insecure.has(base.host);
    const endpoint: Endpoint = {
      base,
      verify: !isInsecure,
      isInsecure: isInsecure || base.protocol === 'http:',
      isMirror: true,
      mirrorUser:
        username === ''
          ? undefined
          : { username: decodeURIComponent(username), password: decodeURIComponent(password) },
      challenges: [],
    };
    this.#mirrorEndpoints.set(text, endpoint);
    return endpoint;
  }

  async #discover(host: string, signal: AbortSignal): Promise<Endpoint> {
    if (!(await this.#tools.insecure.has(host))) return await this.#ping(`https://${host}/`, true, false, signal);
    try {
      return await this.#ping(`https://${host}/`, true, true, signal);
    } catch (error) {
      if (connectionFailureOf(error) === undefined) throw error;
      if (connectionFailureOf(error) === 'certificate')
        return await this.#ping(`https://${host}/`, false, true, signal);
    }
    return await this.#ping(`http://${host}/`, true, true, signal);
  }

  async #ping(base: string, verify: boolean, isInsecure: boolean, signal: AbortSignal): Promise<Endpoint> {
    const url = new URL('v2/', base);
    const response = await sendFollowing(this.#tools, { method: 'GET', url, headers: {}, signal, verify }, undefined);
    const challenges = parseChallenges(headerOf(response, 'www-authenticate') ?? '');
    await discard(response);
    return { base: new URL(base), verify, isInsecure, isMirror: false, challenges };
  }
}
