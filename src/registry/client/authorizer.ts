import type { Challenge } from '../protocol/challenges.ts';
import type { RegistryCredentials } from './contract.ts';
import type { Endpoint } from './endpoints.ts';
import { basicAuthorization, type Tokens } from './tokens.ts';

/** `repository:library/busybox:pull`. */
export function repositoryScope(path: string, actions: string): string {
  return `repository:${path}:${actions}`;
}

/** Answers the challenges of one server for one user. */
export class Authorizer {
  readonly #endpoint: Endpoint;
  readonly #credentials: RegistryCredentials;
  readonly #tokens: Tokens;

  constructor(endpoint: Endpoint, credentials: RegistryCredentials, tokens: Tokens) {
    this.#endpoint = endpoint;
    this.#credentials = endpoint.isMirror ? (endpoint.mirrorUser ?? {}) : credentials;
    this.#tokens = tokens;
  }

  get isAnonymous(): boolean {
    return Object.values(this.#credentials).every((value) => value === undefined || value === '');
  }

  /** What to send as `Authorization`, by what the server last wanted; undefined for nothing. */
  async authorization(scopes: readonly string[], signal: AbortSignal): Promise<string | undefined> {
    const bearer = this.#find('bearer');
    if (bearer === undefined) {
      return this.#find('basic') === undefined ? undefined : basicAuthorization(this.#credentials);
    }
    const { registryToken = '' } = this.#credentials;
    if (registryToken !== '') return `Bearer ${registryToken}`;
    const { token } = await this.#tokens.get(
      {
        realm: bearer.parameters.get('realm') ?? '',
        service: bearer.parameters.get('service') ?? '',
        scopes,
        credentials: this.#credentials,
        endpoint: this.#endpoint,
      },
      signal,
    );
    return `Bearer ${token}`;
  }

  /**
   * Learns from a 401.
   *
   * @param sent - what had been sent as `Authorization`.
   * @returns whether there is something else to send now.
   */
  learn(challenges: readonly Challenge[], sent: string | undefined): boolean {
    this.#endpoint.challenges = challenges;
    const bearer = this.#find('bearer');
    if (bearer === undefined) {
      const basic = this.#find('basic') === undefined ? undefined : basicAuthorization(this.#credentials);
      return basic !== undefined && basic !== sent;
    }
    const previous = sent?.startsWith('Bearer ') === true ? sent.slice('Bearer '.length) : undefined;
    if (previous === undefined) return true;
    if (previous === this.#credentials.registryToken) return false;
    if (bearer.parameters.get('error') === 'insufficient_scope') return false;
    this.#tokens.forget(previous);
    return true;
  }

  /** Whether a user and a password are what is missing. */
  get lacksBasicCredentials(): boolean {
    const wantsBasic = this.#find('bearer') === undefined && this.#find('basic') !== undefined;
    return wantsBasic && basicAuthorization(this.#credentials) === undefined;
  }

  #find(scheme: 'basic' | 'bearer'): Challenge | undefined {
    return this.#endpoint.challenges.find((challenge) => challenge.scheme === scheme);
  }
}
