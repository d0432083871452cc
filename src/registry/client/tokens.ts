import { createHash } from 'node:crypto';
import { EngineError } from '#errors';
import { failureOf } from './answers.ts';
import { readWhole } from './body.ts';
import type { RegistryCredentials } from './contract.ts';
import type { Endpoint } from './endpoints.ts';
import { registryFailure, statusOf } from './failures.ts';
import { sendFollowing, type Following } from './redirects.ts';
import { retrying } from './retry.ts';
import { SingleFlight } from './single-flight.ts';
import type { HttpResponse } from './transport.ts';

/** Which token is wanted: for whom, from where, for what. */
export interface TokenWanted {
  readonly realm: string;
  readonly service: string;
  readonly scopes: readonly string[];
  readonly credentials: RegistryCredentials;
  /** The server that named the realm. */
  readonly endpoint: Endpoint;
  /** Asks for a refresh token too (`docker login`). */
  readonly offline?: boolean;
}

export interface Token {
  readonly token: string;
  readonly refreshToken: string;
  readonly renewAtMs: number;
}

/** The name by which token services know clients of Docker. */
const CLIENT_ID = 'docker';
/** Services may leave out how long a token lives, and then mean this; shorter lives are not believed (distribution's token specification). */
const SHORTEST_LIFE_MS = 60_000;
/** Renewed this long before its end, so that it does not end on its way. */
const MARGIN_MS = 10_000;
const MOST_TOKENS = 1000;

/** Bearer tokens: fetched once for all who want the same one at the same time, kept until shortly before they end. */
export class Tokens {
  readonly #tools: Following;
  readonly #kept: Map<string, Token>;
  readonly #flights: SingleFlight<Token>;

  constructor(tools: Following) {
    this.#tools = tools;
    this.#kept = new Map();
    this.#flights = new SingleFlight();
  }

  /**
   * @throws {@link EngineError} unauthorized with the service's words; unavailable; invalidArgument when the realm is none that
   * credentials may go to.
   */
  async get(wanted: TokenWanted, signal: AbortSignal): Promise<Token> {
    const key = keyOf(wanted);
    const kept = this.#kept.get(key);
    if (kept && kept.renewAtMs > Date.now()) return kept;
    return await this.#flights.run(key, signal, async (shared) => {
      const token = await retrying(() => this.#fetch(wanted, shared), { limits: this.#tools.limits, signal: shared });
      this.#keep(key, token);
      return token;
    });
  }

  /** As {@link get}, but always asks. */
  async fetch(wanted: TokenWanted, signal: AbortSignal): Promise<Token> {
    return await retrying(() => this.#fetch(wanted, signal), { limits: this.#tools.limits, signal });
  }

  /** The registry did not like it: the next one who asks gets a new one. */
  forget(token: string): void {
    for (const [key, kept] of this.#kept) if (kept.token === token) this.#kept.delete(key);
  }

  #keep(key: string, token: Token): void {
    this.#kept.delete(key);
    this.#kept.set(key, token);
    const oldest = this.#kept.keys().next();
    if (this.#kept.size > MOST_TOKENS && oldest.done !== true) this.#kept.delete(oldest.value);
  }

  async #fetch(wanted: TokenWanted, signal: AbortSignal): Promise<Token> {
    const realm = realmUrl(wanted);
    const { identityToken = '', username = '', password = '' } = wanted.credentials;
    const hasPassword = username !== '' && password !== '';
    if (identityToken !== '') {
      try {
        return await this.#post(realm, wanted, { grant_type: 'refresh_token', refresh_token: identityToken }, signal);
      } catch (error) {
        if (!hasPassword || ![401, 404, 405].includes(statusOf(error) ?? 0)) throw error;
        return await this.#get(realm, wanted, signal);
      }
    }
    try {
      return await this.#get(realm, wanted, signal);
    } catch (error) {
      if (!hasPassword || ![404, 405].includes(statusOf(error) ?? 0)) throw error;
      return await this.#post(
        realm,
        wanted,
        { grant_type: 'password', username, password, access_type: 'offline' },
        signal,
      );
    }
  }

  async #get(realm: URL, wanted: TokenWanted, signal: AbortSignal): Promise<Token> {
    const url = new URL(realm);
    if (wanted.service !== '') url.searchParams.append('service', wanted.service);
    for (const scope of wanted.scopes) url.searchParams.append('scope', scope);
    if (wanted.offline === true) {
      url.searchParams.append('offline_token', 'true');
      url.searchParams.append('client_id', CLIENT_ID);
    }
    const authorization = basicAuthorization(wanted.credentials);
    if (authorization !== undefined) url.searchParams.append('account', wanted.credentials.username ?? '');
    const verify = await this.#verify(realm, wanted);
    const request = { method: 'GET', url, headers: {}, signal, verify, trustFor: wanted.endpoint.base.host } as const;
    return await this.#read(await sendFollowing(this.#tools, request, authorization));
  }

  async #post(
    realm: URL,
    wanted: TokenWanted,
    grant: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Token> {
    const form = new URLSearchParams({
      scope: wanted.scopes.join(' '),
      service: wanted.service,
      client_id: CLIENT_ID,
      ...grant,
    });
    const bytes = Buffer.from(form.toString());
    const request = {
      method: 'POST',
      url: realm,
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: { lengthBytes: bytes.length, open: () => once(bytes) },
      signal,
      verify: await this.#verify(realm, wanted),
      trustFor: wanted.endpoint.base.host,
    } as const;
    return await this.#read(await sendFollowing(this.#tools, request, undefined));
  }

  /** The service on an unproven registry's own host need not prove itself either. */
  async #verify(realm: URL, { endpoint }: TokenWanted): Promise<boolean> {
    if (!endpoint.verify && realm.hostname === endpoint.base.hostname) return false;
    return !(await this.#tools.insecure.has(realm.host));
  }

  async #read(response: HttpResponse): Promise<Token> {
    const { limits } = this.#tools;
    if (response.status < 200 || response.status > 299) {
      throw await failureOf(response, { operation: 'other', isAnonymous: false }, limits);
    }
    const askedAtMs = Date.now();
    const tooLong = (): EngineError => badAnswer('its answer is too long');
    return decodeToken(await readWhole(response, { capBytes: limits.tokenBytes, limits, tooLong }), askedAtMs);
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function keyOf(wanted: TokenWanted): string {
  const { username, password, identityToken } = wanted.credentials;
  const who = JSON.stringify([username ?? '', password ?? '', identityToken ?? '']);
  const what = [wanted.realm, wanted.service, wanted.endpoint.base.href, wanted.offline === true, ...wanted.scopes];
  return createHash('sha256')
    .update(JSON.stringify([what, who]))
    .digest('base64');
}

function realmUrl({ realm, endpoint }: TokenWanted): URL {
  const url = URL.canParse(realm) ? new URL(realm) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new EngineError('invalidArgument', 'INVALID_TOKEN_REALM', 'invalid token auth challenge realm');
  }
  if (url.protocol === 'http:' && !endpoint.isInsecure) {
    const text = `invalid token auth challenge realm: ${url.host} would be asked by plain http`;
    throw new EngineError('invalidArgument', 'INVALID_TOKEN_REALM', text);
  }
  url.username = '';
  url.password = '';
  url.hash = '';
  return url;
}

export function basicAuthorization({ username = '', password = '' }: RegistryCredentials): string | undefined {
  if (username === '' || password === '') return undefined;
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function decodeToken(body: Buffer, nowMs: number): Token {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    value = undefined;
  }
  if (typeof value !== 'object' || value === null) throw badAnswer('its answer is not JSON');
  const fields = new Map<string, unknown>(Object.entries(value));
  const text = (name: string): string => {
    const field = fields.get(name);
    return typeof field === 'string' ? field : '';
  };
  const token = text('access_token') === '' ? text('token') : text('access_token');
  if (token === '') {
    throw registryFailure('unauthorized', 'NO_TOKEN', 'authorization server did not include a token in the response');
  }
  if (!/^[\x21-\x7e]+$/.test(token)) throw badAnswer('its token has impossible characters');
  return {
    token,
    refreshToken: text('refresh_token'),
    renewAtMs: renewAtMs(fields.get('expires_in'), text('issued_at'), nowMs),
  };
}

/** A date of issue that makes no sense here (clocks differ) is taken for now. */
function renewAtMs(expiresIn: unknown, issuedAt: string, nowMs: number): number {
  const said = typeof expiresIn === 'number' && Number.isFinite(expiresIn) ? expiresIn * 1000 : 0;
  const lifeMs = Math.max(SHORTEST_LIFE_MS, said);
  const issuedAtMs = Date.parse(issuedAt);
  const isPlausible = issuedAtMs <= nowMs && issuedAtMs + lifeMs > nowMs + MARGIN_MS;
  return (isPlausible ? issuedAtMs : nowMs) + lifeMs - MARGIN_MS;
}

function badAnswer(why: string): EngineError {
  return registryFailure('unavailable', 'INVALID_TOKEN_ANSWER', `unable to decode token response: ${why}`);
}
