import { EngineError } from '#errors';
import { parseChallenges } from '../protocol/challenges.ts';
import { failureOf, type Subject } from './answers.ts';
import type { Authorizer } from './authorizer.ts';
import { discard } from './body.ts';
import type { Endpoint } from './endpoints.ts';
import { registryFailure, requestText } from './failures.ts';
import type { RegistryLimits } from './limits.ts';
import { sendFollowing, type Following } from './redirects.ts';
import { headerOf, type HttpResponse, type Method, type RequestBody } from './transport.ts';

export interface SessionRequest {
  readonly method: Method;
  /** Below `v2/`, or a whole address as the registry gave it. */
  readonly target: string | URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: RequestBody;
  /** Scopes beyond those of the session. */
  readonly scopes?: readonly string[];
  readonly signal: AbortSignal;
}

/** What a session works with. */
export interface SessionTools extends Following {
  readonly endpoint: Endpoint;
  readonly authorizer: Authorizer;
  readonly scopes: readonly string[];
  readonly operation: Subject['operation'];
}

/** Requests to one server on behalf of one user: authorized, renewed when a token has ended, with errors in Docker's words. */
export class Session {
  readonly #tools: SessionTools;

  constructor(tools: SessionTools) {
    this.#tools = tools;
  }

  get endpoint(): Endpoint {
    return this.#tools.endpoint;
  }

  get limits(): RegistryLimits {
    return this.#tools.limits;
  }

  /** An address below `v2/`, or one that the registry gave; relative ones are resolved against `from`. */
  resolve(target: string | URL, from?: URL): URL {
    if (target instanceof URL) return target;
    return new URL(target, from ?? new URL('v2/', this.#tools.endpoint.base));
  }

  /** The answer, whatever its status. A 401 is answered with a new token once. */
  async request(request: SessionRequest): Promise<HttpResponse> {
    const { endpoint, authorizer } = this.#tools;
    const url = this.resolve(request.target);
    const isOurs = url.origin === endpoint.base.origin;
    if (!isOurs) await this.#mayLeave(url);
    for (let isRenewed = false; ; isRenewed = true) {
      const authorization = isOurs ? await this.#authorize(request, url) : undefined;
      const response = await this.#send(request, url, authorization);
      const cameFromUs = response.request.url.origin === endpoint.base.origin;
      if (response.status !== 401 || !cameFromUs || isRenewed) return response;
      const challenges = parseChallenges(headerOf(response, 'www-authenticate') ?? '');
      if (challenges.length === 0) return response;
      const hasMore = authorizer.learn(challenges, authorization);
      if (authorizer.lacksBasicCredentials) {
        await discard(response);
        throw this.#noCredentials(request, url);
      }
      if (!hasMore) return response;
      await discard(response);
    }
  }

  /** The answer if its status is one of `expected`. @throws {@link EngineError} with Docker's text for every other. */
  async expect(request: SessionRequest, expected: readonly number[]): Promise<HttpResponse> {
    const response = await this.request(request);
    if (expected.includes(response.status)) return response;
    throw await this.failure(response);
  }

  async failure(response: HttpResponse): Promise<EngineError> {
    const { authorizer, operation, limits } = this.#tools;
    return await failureOf(response, { operation, isAnonymous: authorizer.isAnonymous }, limits);
  }

  async #send(request: SessionRequest, url: URL, authorization: string | undefined): Promise<HttpResponse> {
    const { endpoint, insecure } = this.#tools;
    const isOurs = url.origin === endpoint.base.origin;
    return await sendFollowing(
      this.#tools,
      {
        method: request.method,
        url,
        headers: request.headers ?? {},
        body: request.body,
        signal: request.signal,
        verify: isOurs ? endpoint.verify : !(await insecure.has(url.host)),
      },
      authorization,
    );
  }

  /** A push tells the reason alone, as Docker's does. */
  #noCredentials(request: SessionRequest, url: URL): EngineError {
    const reason = 'no basic auth credentials';
    const text = this.#tools.operation === 'push' ? reason : requestText(request.method, url, reason);
    return registryFailure('unauthorized', 'NO_CREDENTIALS', text, { status: 401 });
  }

  /** What fails in getting a token is told with the request that it was for, as Go's client does. */
  async #authorize(request: SessionRequest, url: URL): Promise<string | undefined> {
    const scopes = [...new Set([...this.#tools.scopes, ...(request.scopes ?? [])])];
    try {
      return await this.#tools.authorizer.authorization(scopes, request.signal);
    } catch (error) {
      if (!(error instanceof EngineError) || error.kind === 'cancelled') throw error;
      const text = requestText(request.method, url, error.message);
      throw new EngineError(error.kind, error.code, text, {
        cause: error,
        details: { ...error.details, transient: false },
      });
    }
  }

  /** A registry may send uploads to another host, without our credentials, but not from https to plain http. */
  async #mayLeave(url: URL): Promise<void> {
    const { endpoint, insecure } = this.#tools;
    const isHttp = ['http:', 'https:'].includes(url.protocol);
    const isDowngrade = url.protocol === 'http:' && endpoint.base.protocol === 'https:' && !insecure.isListed(url.host);
    if (isHttp && !isDowngrade) return;
    throw registryFailure(
      'unavailable',
      'REGISTRY_REDIRECT',
      `the registry leads to ${url.protocol}//${url.host}, which is not followed`,
    );
  }
}
