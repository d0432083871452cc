import { STATUS_CODES } from 'node:http';
import type { EngineError, ErrorKind } from '#errors';
import { parseChallenges } from '../protocol/challenges.ts';
import {
  decodeRegistryErrors,
  describeRegistryErrors,
  REGISTRY_ERRORS,
  type RegistryErrorEntry,
  type RegistryErrorName,
} from '../protocol/error-codes.ts';
import { readBody } from './body.ts';
import { registryFailure } from './failures.ts';
import type { RegistryLimits } from './limits.ts';
import { presentable } from './redact.ts';
import { headerOf, type HttpResponse } from './transport.ts';

/** On whose behalf something was asked, and for what; decides some of the words. */
export interface Subject {
  readonly operation: 'pull' | 'push' | 'other';
  readonly isAnonymous: boolean;
}

/** A pull tells the first of several errors only, if it is one of these. */
const alone: readonly string[] = ['DENIED', 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN', 'UNAUTHORIZED'];

/** Turns an answer that is no success into an error with Docker's text. Reads its body, as far as the cap allows. */
export async function failureOf(
  response: HttpResponse,
  subject: Subject,
  limits: RegistryLimits,
): Promise<EngineError> {
  const status = response.status;
  const body = await readStart(response, limits);
  if (status < 400 || status >= 500) {
    const text = `received unexpected HTTP status: ${status} ${STATUS_CODES[status] ?? ''}`.trim();
    const transient = status >= 500 && status !== 501 && status !== 505;
    return registryFailure('unavailable', 'UNEXPECTED_STATUS', text, {
      transient,
      status,
      retryAfterMs: retryAfterMs(response),
    });
  }
  const entries = [...entriesOfChallenge(response), ...entriesOfBody(response, body)];
  const first = entries[0] ?? standIn(status, '');
  const told = subject.operation === 'pull' && alone.includes(first.code) ? [first] : entries;
  const text = describeRegistryErrors(told);
  const isUpload = response.request.body !== undefined || response.request.method === 'PUT';
  const hint = status === 429 ? rateLimitHint(response, subject) : '';
  return registryFailure(kindOf(first.code, status, isUpload), codeOf(first.code), text + hint, {
    transient: status === 429 || status === 408,
    status,
    retryAfterMs: retryAfterMs(response),
    registryCodes: entries.map((entry) => entry.code),
  });
}

/** What is left of the body when only its start is of interest; a break counts as its end. */
async function readStart(response: HttpResponse, limits: RegistryLimits): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  const timer = setTimeout(() => response.message.destroy(), limits.bodyMs);
  try {
    for await (const chunk of readBody(response, limits)) {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= limits.errorBytes) break;
    }
  } catch (error) {
    if (response.request.signal.aborted) throw error;
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(chunks).toString('utf8', 0, limits.errorBytes);
}

/** A token that was not enough is told in the challenge (RFC 6750, 3.1). */
function entriesOfChallenge(response: HttpResponse): RegistryErrorEntry[] {
  for (const { scheme, parameters } of parseChallenges(headerOf(response, 'www-authenticate') ?? '')) {
    const code = { invalid_token: 'UNAUTHORIZED', insufficient_scope: 'DENIED' }[parameters.get('error') ?? ''];
    if (scheme !== 'bearer' || code === undefined) continue;
    const described = presentable(parameters.get('error_description') ?? '');
    return [{ code, message: described === '' ? REGISTRY_ERRORS[code as RegistryErrorName].description : described }];
  }
  return [];
}

function entriesOfBody(response: HttpResponse, body: string): RegistryErrorEntry[] {
  const type = (headerOf(response, 'content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const status = response.status;
  const isJson = type === 'application/json' || type.endsWith('+json');
  if (!isJson) return [standIn(status, presentable(body))];
  const details = detailsOf(body);
  if (details !== '') return [standIn(status, presentable(details))];
  const entries = decodeRegistryErrors(body).map(({ code, message }) => ({
    code: presentable(code),
    message: presentable(message),
  }));
  return entries.length > 0 ? entries : [standIn(status, '')];
}

/** Some token services answer `{"details": "why"}`. */
function detailsOf(body: string): string {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value !== 'object' || value === null || !('details' in value)) return '';
    return typeof value.details === 'string' ? value.details : '';
  } catch {
    return '';
  }
}

function standIn(status: number, message: string): RegistryErrorEntry {
  const code = ({ 401: 'UNAUTHORIZED', 403: 'DENIED', 429: 'TOOMANYREQUESTS' } as const)[status] ?? 'UNKNOWN';
  const fallback =
    code === 'UNKNOWN' ? `${status} ${STATUS_CODES[status] ?? ''}`.trim() : REGISTRY_ERRORS[code].description;
  return { code, message: message === '' ? fallback : message };
}

function codeOf(registryCode: string): string {
  return Object.hasOwn(REGISTRY_ERRORS, registryCode) ? registryCode : 'UNKNOWN';
}

function kindOf(registryCode: string, status: number, isUpload: boolean): ErrorKind {
  switch (registryCode) {
    case 'DENIED':
      return 'forbidden';
    case 'UNAUTHORIZED':
      return 'unauthorized';
    case 'DIGEST_INVALID':
    case 'SIZE_INVALID':
      return isUpload ? 'dataLoss' : 'invalidArgument';
    case 'UNSUPPORTED':
      return 'notImplemented';
    case 'TOOMANYREQUESTS':
      return 'unavailable';
    default:
      return kindOfStatus(status);
  }
}

function kindOfStatus(status: number): ErrorKind {
  const kinds: Readonly<Record<number, ErrorKind>> = {
    401: 'unauthorized',
    403: 'forbidden',
    404: 'notFound',
    405: 'notImplemented',
    408: 'unavailable',
    429: 'unavailable',
  };
  return kinds[status] ?? 'invalidArgument';
}

function rateLimitHint(response: HttpResponse, subject: Subject): string {
  const afterMs = retryAfterMs(response);
  const when = afterMs === undefined ? 'later' : `in ${Math.max(1, Math.round(afterMs / 1000))} s`;
  const login = subject.isAnonymous ? ", or log in ('docker login') for a higher limit" : '';
  return ` (try again ${when}${login})`;
}

/** Reads `Retry-After`: seconds, or a date. */
export function retryAfterMs(response: Pick<HttpResponse, 'headers'>, now: number = Date.now()): number | undefined {
  const text = response.headers['retry-after']?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const at = text === '' ? Number.NaN : Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
