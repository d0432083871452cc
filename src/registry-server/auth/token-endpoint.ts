import type { IncomingMessage, ServerResponse } from 'node:http';
import { formatChallenge } from '#registry';
import { registryError } from '../errors.ts';
import { readBody } from '../http/body.ts';
import { sendJson } from '../http/exchange.ts';
import type { Access } from './access.ts';
import { accessOfBasic } from './basic.ts';
import type { PasswordChecker } from './password-checker.ts';
import { accessByRules, type AccessRule } from './rules.ts';
import { grantScopes, parseScopes } from './scopes.ts';
import type { Tokens } from './tokens.ts';

const maxFormBytes = 64 * 1024;

export interface TokenEndpointOptions {
  /** Audiences that tokens are given out for, our own among them. */
  readonly services: readonly string[];
  readonly rules: readonly AccessRule[] | undefined;
}

interface TokenRequest {
  readonly access: Access;
  readonly service: string;
  readonly scopes: readonly string[];
  readonly wantsRefresh: boolean;
}

/**
 * The token endpoint of Docker's registry protocol: `GET` with basic authentication, and the OAuth2 `POST` with a password or
 * a refresh token. Who may do less than he asks for gets a token for that.
 */
export class TokenEndpoint {
  readonly #tokens: Tokens;
  readonly #passwords: PasswordChecker;
  readonly #options: TokenEndpointOptions;

  constructor(tokens: Tokens, passwords: PasswordChecker, options: TokenEndpointOptions) {
    this.#tokens = tokens;
    this.#passwords = passwords;
    this.#options = options;
  }

  async handle(request: IncomingMessage, response: ServerResponse, query: URLSearchParams): Promise<void> {
    if (request.method !== 'GET' && request.method !== 'POST') {
      throw registryError('UNSUPPORTED', { headers: { Allow: 'GET, POST' } });
    }
    const wanted = request.method === 'GET' ? await this.#readGet(request, query) : await this.#readPost(request);
    const { access, service } = wanted;
    if (!this.#options.services.includes(service)) {
      throw registryError('DENIED', { message: `no tokens are given out for the service "${service}"` });
    }
    const granted = grantScopes(access, parseScopes(wanted.scopes));
    const token = await this.#tokens.issue(access.user, service, granted);
    const generation = access.user === '' ? undefined : this.#passwords.generationOf(access.user);
    sendJson(
      response,
      200,
      {
        token,
        access_token: token,
        expires_in: this.#tokens.options.lifetimeSeconds,
        issued_at: new Date().toISOString(),
        scope: granted.map(({ type, name, actions }) => `${type}:${name}:${actions.join(',')}`).join(' '),
        ...(wanted.wantsRefresh && generation !== undefined
          ? { refresh_token: await this.#tokens.issueRefresh(access.user, generation) }
          : {}),
      },
      { 'Cache-Control': 'no-store' },
    );
  }

  async #readGet(request: IncomingMessage, query: URLSearchParams): Promise<TokenRequest> {
    return {
      access: await accessOfBasic(request, this.#passwords, this.#options.rules, wrongCredentials),
      service: query.get('service') ?? this.#tokens.options.service,
      scopes: query.getAll('scope'),
      wantsRefresh: query.get('offline_token') === 'true',
    };
  }

  async #readPost(request: IncomingMessage): Promise<TokenRequest> {
    const body = await readBody(request, maxFormBytes, () => registryError('UNSUPPORTED', { status: 413 }));
    const form = new URLSearchParams(body.toString());
    return {
      access: accessByRules(this.#options.rules, await this.#userOf(form, request.socket.remoteAddress ?? '')),
      service: form.get('service') ?? this.#tokens.options.service,
      scopes: form.getAll('scope'),
      wantsRefresh: form.get('access_type') === 'offline',
    };
  }

  async #userOf(form: URLSearchParams, address: string): Promise<string> {
    if (form.get('grant_type') === 'password') {
      const user = form.get('username') ?? '';
      if (user !== '' && (await this.#passwords.check(user, form.get('password') ?? '', address))) return user;
      throw wrongCredentials();
    }
    if (form.get('grant_type') === 'refresh_token') {
      const claims = await this.#tokens.verifyRefresh(form.get('refresh_token') ?? '');
      if (claims && this.#passwords.generationOf(claims.user) === claims.generation) return claims.user;
      throw wrongCredentials();
    }
    throw registryError('UNSUPPORTED', { status: 400, message: 'unsupported grant_type' });
  }
}

function wrongCredentials(): Error {
  return registryError('UNAUTHORIZED', {
    message: 'incorrect username or password',
    headers: { 'WWW-Authenticate': formatChallenge('Basic', { realm: 'tokens' }) },
  });
}
