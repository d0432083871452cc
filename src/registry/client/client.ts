import { Connections } from './connections.ts';
import type {
  RegistryClient,
  RegistryClientOptions,
  RegistryCredentials,
  RemoteRepository,
  SearchResult,
} from './contract.ts';
import { Endpoints } from './endpoints.ts';
import { InsecureHosts, normalizeDomain } from './hosts.ts';
import { DEFAULT_LIMITS, type RegistryLimits } from './limits.ts';
import { login } from './login.ts';
import { Repository, type RepositoryTools } from './repository.ts';
import { search } from './search.ts';
import { Tokens } from './tokens.ts';
import { Transport } from './transport.ts';

class Client implements RegistryClient {
  readonly #connections: Connections;
  readonly #tools: RepositoryTools;

  constructor(options: RegistryClientOptions, limits: RegistryLimits) {
    this.#connections = new Connections(options, limits);
    const following = {
      transport: new Transport(this.#connections, limits, options.userAgent),
      limits,
      insecure: new InsecureHosts(options.insecureRegistries),
    };
    const endpoints = new Endpoints(following, options.mirrors);
    const downloadAttempts = options.downloadAttempts ?? limits.attempts;
    this.#tools = { ...following, endpoints, tokens: new Tokens(following), downloadAttempts };
  }

  repository(
    name: { domain: string; path: string },
    options: { credentials: RegistryCredentials; actions: 'pull' | 'push' },
  ): RemoteRepository {
    return new Repository({ domain: normalizeDomain(name.domain), path: name.path }, options, this.#tools);
  }

  async login(domain: string, credentials: RegistryCredentials, options: { signal: AbortSignal }): Promise<string> {
    return await login(this.#tools, normalizeDomain(domain), credentials, options.signal);
  }

  async search(
    domain: string,
    query: { term: string; limit: number },
    options: { credentials: RegistryCredentials; signal: AbortSignal },
  ): Promise<SearchResult[]> {
    return await search(this.#tools, normalizeDomain(domain), query, options);
  }

  [Symbol.dispose](): void {
    this.#connections[Symbol.dispose]();
  }
}

/**
 * A client for all registries. Nothing is asked before its first call; its connections close by themselves when idle, or with it.
 *
 * @param limits - other bounds than the usual ones, for tests.
 * @throws {@link EngineError} invalidArgument when a proxy is no URL.
 */
export function createRegistryClient(
  options: RegistryClientOptions,
  limits: RegistryLimits = DEFAULT_LIMITS,
): RegistryClient {
  return new Client(options, limits);
}
