import { join } from 'node:path';
import type { RegistryConfig } from '../config/schema.ts';
import type { ExtraHandler } from '../http/server.ts';
import { type Authenticator, noAuthentication } from './authenticator.ts';
import { basicAuthenticator } from './basic.ts';
import { bearerAuthenticator } from './bearer.ts';
import { HtpasswdFile } from './htpasswd.ts';
import { PasswordChecker } from './password-checker.ts';
import { type AccessRule, anonymousPull } from './rules.ts';
import { TokenEndpoint } from './token-endpoint.ts';
import { ensureTokenKey, type TokenKeyFiles } from './token-key.ts';
import { Tokens } from './tokens.ts';

/** Authentication as configured, with the handlers it brings along. */
export interface Authentication extends Disposable {
  readonly authenticator: Authenticator;
  readonly handlers: Readonly<Record<string, ExtraHandler>>;
}

/** Where the key of tokens is kept unless the configuration says otherwise. */
export function tokenKeyFiles(config: RegistryConfig): TokenKeyFiles {
  return {
    key: config.auth?.token.key ?? join(config.root, 'token-key.pem'),
    certificate: config.auth?.token.certificate ?? join(config.root, 'token-certificate.pem'),
  };
}

/** @throws when the password file or the key of tokens cannot be read. */
export function openAuthentication(config: RegistryConfig): Authentication {
  const { auth } = config;
  if (!auth) return { authenticator: noAuthentication, handlers: {}, [Symbol.dispose]: () => undefined };
  const passwords = new PasswordChecker(new HtpasswdFile(auth.htpasswd));
  const rules = effectiveRules(auth.rules, auth.anonymousPull);
  const close = { [Symbol.dispose]: () => passwords.close() };
  if (auth.mode === 'basic') {
    return { authenticator: basicAuthenticator(passwords, { realm: auth.realm, rules }), handlers: {}, ...close };
  }
  const tokens = new Tokens(ensureTokenKey(tokenKeyFiles(config), auth.token.issuer), auth.token);
  const endpoint = new TokenEndpoint(tokens, passwords, {
    services: [auth.token.service, ...auth.token.otherServices],
    rules,
  });
  return {
    authenticator: bearerAuthenticator(tokens, passwords, { url: auth.token.url, rules }),
    handlers: { '/token': async (request, response, query) => await endpoint.handle(request, response, query) },
    ...close,
  };
}

function effectiveRules(
  rules: readonly AccessRule[] | undefined,
  isAnonymousPull: boolean,
): readonly AccessRule[] | undefined {
  if (!isAnonymousPull) return rules;
  return [...(rules ?? [{ users: ['*'], repositories: ['**'], actions: ['*'] }]), anonymousPull];
}
