import type { ImageSummary } from '#spec';
import { shortRepository, splitTag } from './familiar-name.ts';
import type { ListRow, ListShape } from './list.ts';
import { shortId } from './text.ts';
import { goTimeText } from './time.ts';
import { humanSince, humanSize } from './units.ts';

export const imageShape: ListShape = {
  typeName: '*formatter.imageContext',
  headers: {
    ID: 'IMAGE ID',
    Repository: 'REPOSITORY',
    Tag: 'TAG',
    Digest: 'DIGEST',
    CreatedSince: 'CREATED',
    CreatedAt: 'CREATED AT',
    Size: 'SIZE',
    Containers: 'CONTAINERS',
    VirtualSize: 'SIZE',
    SharedSize: 'SHARED SIZE',
    UniqueSize: 'UNIQUE SIZE',
  },
  columns: ['Repository', 'Tag', 'ID', 'CreatedSince', 'Size'],
};

const none = '<none>';

/** The names a list shows one image under, one row each. */
export interface ImageName {
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
}

export function isDangling(image: ImageSummary): boolean {
  const tags = image.RepoTags ?? [];
  const digests = image.RepoDigests ?? [];
  if (tags.length === 0 && digests.length === 0) return true;
  return tags.length === 1 && tags[0] === '<none>:<none>' && digests.length === 1 && digests[0] === '<none>@<none>';
}

/** The rows of one image: a row per tag, and per digest where those are shown; digests alone get a row as well. */
export function imageNames(image: ImageSummary, withDigests: boolean): ImageName[] {
  if (isDangling(image)) return [{ repository: none, tag: none, digest: none }];
  const digestsOf = groupByRepository(
    (image.RepoDigests ?? []).map((text) => {
      const cut = text.indexOf('@');
      return { repository: shortRepository(text.slice(0, cut)), value: text.slice(cut + 1) };
    }),
  );
  const tagsOf = groupByRepository(
    (image.RepoTags ?? []).map(splitTag).map(({ repository, tag }) => ({ repository, value: tag })),
  );
  const names: ImageName[] = [];
  for (const [repository, tags] of tagsOf) {
    const digests = withDigests ? (digestsOf.get(repository) ?? [none]) : [none];
    digestsOf.delete(repository);
    for (const tag of tags) names.push(...digests.map((digest) => ({ repository, tag, digest })));
  }
  for (const [repository, digests] of digestsOf) {
    const shown = withDigests ? digests : [''];
    names.push(...shown.map((digest) => ({ repository, tag: none, digest })));
  }
  return names;
}

function groupByRepository(
  entries: readonly { readonly repository: string; readonly value: string }[],
): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const { repository, value } of entries) groups.set(repository, [...(groups.get(repository) ?? []), value]);
  return groups;
}

export function imageRow(image: ImageSummary, name: ImageName, truncate: boolean): ListRow {
  const shared = image.SharedSize;
  return {
    columns: {
      ID: () => (truncate ? shortId(image.Id) : image.Id),
      Repository: () => name.repository,
      Tag: () => name.tag,
      Digest: () => name.digest,
      CreatedSince: () => humanSince(image.Created),
      CreatedAt: () => goTimeText(image.Created),
      Size: () => humanSize(image.Size, 3),
      Containers: () => (image.Containers === -1 ? 'N/A' : String(image.Containers)),
      VirtualSize: () => humanSize(image.Size),
      SharedSize: () => (shared === -1 ? 'N/A' : humanSize(shared)),
      UniqueSize: () => (image.Size === -1 || shared === -1 ? 'N/A' : humanSize(image.Size - shared)),
    },
  };
}
