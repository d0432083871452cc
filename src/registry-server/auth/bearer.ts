import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { formatChallenge } from '#registry';
import { registryError } from '../errors.ts';
import type { Authenticator, Wanted } from './authenticator.ts';
import { accessOfBasic } from './basic.ts';
import type { PasswordChecker } from './password-checker.ts';
import { accessByRules, type AccessRule } from './rules.ts';
import { accessByGrants } from './scopes.ts';
import type { Tokens } from './tokens.ts';

export interface BearerOptions {
  /** Where clients get tokens; undefined: at `/token` of the address they came to. */
  readonly url: string | undefined;
  readonly rules: readonly AccessRule[] | undefined;
}

/** Tokens of our own token endpoint; user and password are taken too, for clients without tokens. */
export function bearerAuthenticator(tokens: Tokens, passwords: PasswordChecker, options: BearerOptions): Authenticator {
  const unauthorized = (request: IncomingMessage, wanted: Wanted, error?: string): Error =>
    registryError('UNAUTHORIZED', {
      detail: wanted.repository === undefined ? undefined : wanted,
      headers: {
        'WWW-Authenticate': formatChallenge('Bearer', {
          realm: options.url ?? `${originOf(request)}/token`,
          service: tokens.options.service,
          ...scopeOf(wanted),
          ...(error === undefined ? {} : { error }),
        }),
      },
    });
  return {
    authenticate: async (request) => {
      const header = request.headers.authorization;
      if (header === undefined) return accessByRules(options.rules, '');
      const bearer = /^bearer +(\S+)$/i.exec(header)?.[1];
      const invalid = (): Error => unauthorized(request, { actions: [] }, 'invalid_token');
      if (bearer === undefined) return await accessOfBasic(request, passwords, options.rules, invalid);
      const claims = await tokens.verify(bearer);
      if (!claims) throw invalid();
      return accessByGrants(claims.user, claims.grants);
    },
    refuse: (request, access, wanted) =>
      unauthorized(request, wanted, access.isAuthenticated ? 'insufficient_scope' : undefined),
    asksAtBase: true,
  };
}

function scopeOf({ repository, actions }: Wanted): Record<string, string> {
  if (repository !== undefined) return { scope: `repository:${repository}:${actions.join(',')}` };
  return actions.includes('catalog') ? { scope: 'registry:catalog:*' } : {};
}

/** The address the client came to, as it names it. It is told to that client alone. */
function originOf(request: IncomingMessage): string {
  const isEncrypted = (request.socket as TLSSocket).encrypted;
  const host = request.headers.host ?? '';
  return `${isEncrypted ? 'https' : 'http'}://${/^[A-Za-z0-9.:[\]_-]+$/.test(host) ? host : 'localhost'}`;
}
