import type { EngineError } from '#errors';
import { parseNextLink } from '../protocol/links.ts';
import { readWhole } from './body.ts';
import { registryFailure } from './failures.ts';
import { retrying } from './retry.ts';
import type { Session } from './session.ts';
import { headerOf } from './transport.ts';

/** All tags of a repository, page after page. Pages are followed on the same server only, none twice, and not without end. */
export async function listTags(session: Session, path: string, signal: AbortSignal): Promise<string[]> {
  const { limits } = session;
  const tags: string[] = [];
  const seen = new Set<string>();
  let next: URL | undefined = session.resolve(`${path}/tags/list`);
  while (next !== undefined) {
    const url: URL = next;
    seen.add(url.href);
    if (seen.size > limits.tagPages) throw invalidList(`it has more than ${limits.tagPages} pages`);
    const page = await retrying(() => readPage(session, url, signal), { limits, signal });
    tags.push(...page.tags);
    next = page.next === undefined ? undefined : nextPage(session, url, page.next);
    if (next !== undefined && seen.has(next.href)) throw invalidList('its pages lead in a circle');
  }
  return tags;
}

async function readPage(
  session: Session,
  url: URL,
  signal: AbortSignal,
): Promise<{ tags: string[]; next: string | undefined }> {
  const { limits } = session;
  const response = await session.expect({ method: 'GET', target: url, signal }, [200]);
  const tooLong = (): EngineError => invalidList(`a page is bigger than ${limits.tagListBytes} bytes`);
  const body = await readWhole(response, { capBytes: limits.tagListBytes, limits, tooLong });
  return { tags: decodeTags(body), next: parseNextLink(headerOf(response, 'link')) };
}

function nextPage(session: Session, from: URL, target: string): URL {
  const url = URL.canParse(target, from.href) ? new URL(target, from) : undefined;
  if (url === undefined || url.origin !== session.endpoint.base.origin)
    throw invalidList('its pages lead to another host');
  return url;
}

function decodeTags(body: Buffer): string[] {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    value = undefined;
  }
  if (typeof value !== 'object' || value === null) throw invalidList('it is not JSON');
  const tags: unknown = 'tags' in value ? value.tags : null;
  if (tags === null) return [];
  if (!Array.isArray(tags) || !tags.every((tag) => typeof tag === 'string'))
    throw invalidList('it has no list of tags');
  return tags;
}

function invalidList(why: string): EngineError {
  return registryFailure('unavailable', 'INVALID_TAG_LIST', `the registry's list of tags is not usable: ${why}`);
}
