import type { IncomingMessage } from 'node:http';
import { formatChallenge } from '#registry';
import { registryError } from '../errors.ts';
import type { Access } from './access.ts';
import type { Authenticator } from './authenticator.ts';
import type { PasswordChecker } from './password-checker.ts';
import { accessByRules, type AccessRule } from './rules.ts';

export interface BasicOptions {
  readonly realm: string;
  readonly rules: readonly AccessRule[] | undefined;
}

/** Reads `Basic …`; undefined for no credentials, be it that both are empty, as some clients send for "none". */
export function readBasic(header: string | undefined): { user: string; password: string } | undefined {
  const match = /^basic +([A-Za-z0-9+/_-]+={0,2})$/i.exec(header ?? '');
  if (!match) return undefined;
  const text = Buffer.from(match[1] ?? '', 'base64').toString('utf8');
  const separator = text.indexOf(':');
  if (separator === -1 || text === ':') return undefined;
  return { user: text.slice(0, separator), password: text.slice(separator + 1) };
}

/** Who a `Basic` header is from; anonymous without one. @throws {@link EngineError} what `wrong` gives. */
export async function accessOfBasic(
  request: IncomingMessage,
  passwords: PasswordChecker,
  rules: readonly AccessRule[] | undefined,
  wrong: () => Error,
): Promise<Access> {
  const credentials = readBasic(request.headers.authorization);
  if (!credentials) return accessByRules(rules, '');
  const { user, password } = credentials;
  if (user === '' || !(await passwords.check(user, password, request.socket.remoteAddress ?? ''))) throw wrong();
  return accessByRules(rules, user);
}

/** User and password with every request. */
export function basicAuthenticator(passwords: PasswordChecker, options: BasicOptions): Authenticator {
  const challenge = { 'WWW-Authenticate': formatChallenge('Basic', { realm: options.realm }) };
  const unauthorized = (): Error => registryError('UNAUTHORIZED', { headers: challenge });
  return {
    authenticate: async (request) => {
      const header = request.headers.authorization;
      if (header !== undefined && !/^basic /i.test(header)) throw unauthorized();
      return await accessOfBasic(request, passwords, options.rules, unauthorized);
    },
    refuse: (_request, access, { repository, actions }) =>
      access.isAuthenticated ? registryError('DENIED', { detail: { repository, actions } }) : unauthorized(),
    asksAtBase: true,
  };
}
