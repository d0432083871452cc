import { formatNextLink, MEDIA_TYPE } from '#registry';
import { registryError } from '../errors.ts';
import { type Exchange, sendBytes, sendJson } from '../http/exchange.ts';
import { parseContentDigest } from '../names.ts';
import type { ManifestRecord } from '../storage/manifest-records.ts';
import type { RegistryStorage } from '../storage/registry-storage.ts';

const catalogPage = 100;
const tagsPage = 10_000;
const maxPage = 10_000;
/** An index of referrers must fit what clients read of a manifest. */
const referrersPageBytes = 2 * 1024 * 1024;
const referrersPage = 1000;

/** `n` and `last` of a list. @throws {@link EngineError} PAGINATION_NUMBER_INVALID. */
function readPage(query: URLSearchParams, standard: number): { limit: number; after: string } {
  const text = query.get('n');
  if (text !== null && !/^\d{1,9}$/.test(text))
    throw registryError('PAGINATION_NUMBER_INVALID', { detail: { n: text } });
  return { limit: text === null ? standard : Math.min(Number(text), maxPage), after: query.get('last') ?? '' };
}

/** One page out of what was read with one more than its length, and the header that leads to the next. */
function cutPage(items: string[], limit: number, path: string): { page: string[]; headers: Record<string, string> } {
  const page = items.slice(0, limit);
  const last = page.at(-1);
  if (items.length <= limit || last === undefined) return { page, headers: {} };
  const query = new URLSearchParams({ last, n: String(limit) });
  return { page, headers: { Link: formatNextLink(`${path}?${query}`) } };
}

/** `GET …/tags/list` (end-8). */
export function listTags(storage: RegistryStorage, exchange: Exchange, repository: string): void {
  const { limit, after } = readPage(exchange.query, tagsPage);
  const id = storage.repositories.findPublished(repository);
  if (id === undefined) throw registryError('NAME_UNKNOWN', { detail: { name: repository } });
  const tags = limit === 0 ? [] : storage.manifests.listTags(id, { after, limit: limit + 1 });
  const { page, headers } = cutPage(tags, limit, `/v2/${repository}/tags/list`);
  sendJson(exchange.response, 200, { name: repository, tags: page }, headers);
}

/** `GET /v2/_catalog`, Docker's. */
export function listCatalog(storage: RegistryStorage, exchange: Exchange): void {
  const { limit, after } = readPage(exchange.query, catalogPage);
  const names = limit === 0 ? [] : storage.repositories.list({ after, limit: limit + 1 });
  const { page, headers } = cutPage(names, limit, '/v2/_catalog');
  sendJson(exchange.response, 200, { repositories: page }, headers);
}

/** `GET …/referrers/<digest>` (end-12). */
export function listReferrers(
  storage: RegistryStorage,
  exchange: Exchange,
  target: { repository: string; digest: string },
): void {
  const subject = parseContentDigest(target.digest);
  const artifactType = exchange.query.get('artifactType') ?? undefined;
  const after = exchange.query.get('last') ?? '';
  const id = storage.repositories.find(target.repository);
  const records =
    id === undefined
      ? []
      : storage.manifests.listReferrers(id, subject, { artifactType, after, limit: referrersPage + 1 });
  const descriptors = fitting(records.slice(0, referrersPage).map((record) => describe(record)));
  const index = { schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests: descriptors };
  const last = descriptors.at(-1)?.digest;
  const query = new URLSearchParams({ last: last ?? '', ...(artifactType === undefined ? {} : { artifactType }) });
  sendBytes(exchange.response, 200, Buffer.from(JSON.stringify(index)), {
    'Content-Type': MEDIA_TYPE.ociIndex,
    ...(artifactType === undefined ? {} : { 'OCI-Filters-Applied': 'artifactType' }),
    ...(descriptors.length < records.length
      ? { Link: formatNextLink(`/v2/${target.repository}/referrers/${subject}?${query}`) }
      : {}),
  });
}

type ReferrerDescriptor = ReturnType<typeof describe>;

function describe(record: ManifestRecord): {
  mediaType: string;
  size: number;
  digest: string;
  artifactType?: string;
  annotations?: Readonly<Record<string, string>>;
} {
  return {
    mediaType: record.mediaType,
    size: record.sizeBytes,
    digest: record.digest,
    ...(record.artifactType === undefined ? {} : { artifactType: record.artifactType }),
    ...(record.annotations === undefined ? {} : { annotations: record.annotations }),
  };
}

/** As many from the front as fit a page, but always one. */
function fitting(descriptors: ReferrerDescriptor[]): ReferrerDescriptor[] {
  let bytes = 0;
  const count = descriptors.findIndex((each) => (bytes += JSON.stringify(each).length) > referrersPageBytes);
  return count === -1 ? descriptors : descriptors.slice(0, Math.max(1, count));
}
