import { STATUS_CODES } from 'node:http';
import type { RegistryCredentials } from './contract.ts';
import { basicAuthorization } from './tokens.ts';
import { discard } from './body.ts';
import { registryFailure, requestText } from './failures.ts';
import { sendFollowing } from './redirects.ts';
import type { RepositoryTools } from './repository.ts';
import { EngineError } from '#errors';
import { redactUrl } from './redact.ts';
import type { Endpoint } from './endpoints.ts';

/**
 * Verifies credentials as Docker does: a token is asked for with them (and a refresh token along), or they are sent as they are, and the base
 * of the API must then say 200.
 *
 * @returns the refresh token; empty when there is none.
 */
export async function login(
  tools: RepositoryTools,
  domain: string,
  credentials: RegistryCredentials,
  signal: AbortSignal,
): Promise<string> {
  // What the registry wants may have changed since it was asked last, and the answer decides everything here.
  const endpoint = await tools.endpoints.fresh(domain, signal);
  const url = new URL('v2/', endpoint.base);
  const { authorization, identityToken } = await answer(tools, endpoint, credentials, signal, url);
  const request = { method: 'GET', url, headers: {}, signal, verify: endpoint.verify } as const;
  const response = await sendFollowing(tools, request, authorization);
  await discard(response);
  if (response.status === 200) return identityToken;
  const status = `${response.status} ${STATUS_CODES[response.status] ?? ''}`.trim();
  const kind = response.status === 401 || response.status === 403 ? 'unauthorized' : 'unavailable';
  throw registryFailure(kind, 'LOGIN_FAILED', `login attempt to ${redactUrl(url)} failed with status: ${status}`, {
    status: response.status,
  });
}

async function answer(
  tools: RepositoryTools,
  endpoint: Endpoint,
  credentials: RegistryCredentials,
  signal: AbortSignal,
  url: URL,
): Promise<{ authorization: string | undefined; identityToken: string }> {
  const bearer = endpoint.challenges.find((challenge) => challenge.scheme === 'bearer');
  if (bearer !== undefined) {
    const parameters = { realm: bearer.parameters.get('realm') ?? '', service: bearer.parameters.get('service') ?? '' };
    try {
      const wanted = { ...parameters, scopes: [], credentials, endpoint, offline: true };
      const token = await tools.tokens.fetch(wanted, signal);
      return {
        authorization: `Bearer ${token.token}`,
        identityToken: token.refreshToken === '' ? (credentials.identityToken ?? '') : token.refreshToken,
      };
    } catch (error) {
      if (!(error instanceof EngineError) || error.kind === 'cancelled') throw error;
      const text = requestText('GET', url, error.message);
      throw new EngineError(error.kind, error.code, text, { cause: error, details: error.details });
    }
  }
  if (!endpoint.challenges.some((challenge) => challenge.scheme === 'basic')) {
    return { authorization: undefined, identityToken: '' };
  }
  const authorization = basicAuthorization(credentials);
  if (authorization !== undefined) return { authorization, identityToken: '' };
  const text = requestText('GET', url, 'no basic auth credentials');
  throw registryFailure('unauthorized', 'NO_CREDENTIALS', text);
}
