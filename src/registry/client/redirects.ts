import { registryFailure, requestText } from './failures.ts';
import type { InsecureHosts } from './hosts.ts';
import type { RegistryLimits } from './limits.ts';
import { discard } from './body.ts';
import { headerOf, type HttpRequest, type HttpResponse, type Transport } from './transport.ts';

/** What may leave with a request, and where it may lead. */
export interface Following {
  readonly transport: Transport;
  readonly limits: RegistryLimits;
  readonly insecure: InsecureHosts;
}

const redirectStatuses = new Set([301, 302, 303, 307, 308]);

/**
 * Sends a request and follows where it is led. `authorization` goes to the origin of the first address only: once another scheme, host or port is
 * asked, it is gone for good. From https nobody is led to plain http, unless the host is listed as insecure.
 *
 * @throws {@link EngineError} as {@link Transport.send}, and unavailable when led in circles or to where we do not go.
 */
export async function sendFollowing(
  tools: Following,
  first: HttpRequest,
  authorization: string | undefined,
): Promise<HttpResponse> {
  let request = first;
  let secret = authorization;
  for (let hops = 0; ; hops++) {
    const headers = secret === undefined ? request.headers : { ...request.headers, Authorization: secret };
    const response = await tools.transport.send({ ...request, headers });
    if (!redirectStatuses.has(response.status)) return response;
    const location = headerOf(response, 'location');
    if (location === undefined) return response;
    await discard(response);
    if (hops >= tools.limits.redirects) throw refuse(first, `stopped after ${tools.limits.redirects} redirects`);
    const target = await nextTarget(tools, request, response.status, location);
    if (target.url.origin !== request.url.origin) secret = undefined;
    request = { ...request, ...target };
  }
}

async function nextTarget(
  tools: Following,
  request: HttpRequest,
  status: number,
  location: string,
): Promise<Pick<HttpRequest, 'url' | 'verify' | 'trustFor'>> {
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  const isRepeatable = request.method === 'POST' && request.body === undefined && (status === 307 || status === 308);
  if (!isRead && !isRepeatable) throw refuse(request, `unexpected redirect (status ${status})`);
  const url = URL.canParse(location, request.url.href) ? new URL(location, request.url) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw refuse(request, 'redirect to an address that is neither http nor https');
  }
  url.username = '';
  url.password = '';
  if (url.origin === request.url.origin) return { url, verify: request.verify, trustFor: request.trustFor };
  if (url.protocol === 'http:' && request.url.protocol === 'https:' && !tools.insecure.isListed(url.host)) {
    throw refuse(request, `redirect from https to plain http (host ${url.host})`);
  }
  return { url, verify: !(await tools.insecure.has(url.host)), trustFor: undefined };
}

function refuse(request: HttpRequest, reason: string): Error {
  return registryFailure('unavailable', 'REGISTRY_REDIRECT', requestText(request.method, request.url, reason));
}
