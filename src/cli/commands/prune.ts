import { encodeFilters, type FilterValues } from '#client';
import type { DeleteResponseItem } from '#spec';
import type { CliContext } from '../context.ts';

/** What one kind's prune gave: its lines, a line break at the end of each, and the bytes freed. */
export interface Pruned {
  readonly text: string;
  readonly bytes: number;
}

interface PruneAnswer {
  readonly SpaceReclaimed?: number;
  readonly ContainersDeleted?: readonly string[] | null;
  readonly VolumesDeleted?: readonly string[] | null;
  readonly NetworksDeleted?: readonly string[] | null;
  readonly ImagesDeleted?: readonly DeleteResponseItem[] | null;
  readonly CachesDeleted?: readonly string[] | null;
}

/** Filters given with those of `config.json`'s `pruneFilters` added; what is negated there does not count. */
export function pruneFilters(ctx: CliContext, given: FilterValues): FilterValues {
  const filters: Record<string, readonly string[]> = { ...given };
  for (const text of ctx.config.pruneFilters ?? []) {
    const cut = text.indexOf('=');
    const [name, value] = [text.slice(0, cut), text.slice(cut + 1)];
    const opposite = name === 'label' ? 'label!' : name === 'label!' ? 'label' : undefined;
    if (cut < 0 || (opposite !== undefined && filters[opposite]?.includes(value) === true)) continue;
    if (name !== 'label' && name !== 'label!' && name in filters) continue;
    filters[name] = [...(filters[name] ?? []), value];
  }
  return filters;
}

export async function pruneContainers(ctx: CliContext, filters: FilterValues): Promise<Pruned> {
  const answer = await post(ctx, 'containers', filters);
  return section('Deleted Containers', answer.ContainersDeleted, answer.SpaceReclaimed);
}

export async function pruneNetworks(ctx: CliContext, filters: FilterValues): Promise<Pruned> {
  const answer = await post(ctx, 'networks', filters);
  return section('Deleted Networks', answer.NetworksDeleted, 0);
}

export async function pruneVolumes(ctx: CliContext, filters: FilterValues, all: boolean): Promise<Pruned> {
  const answer = await post(ctx, 'volumes', all ? { ...filters, all: ['true'] } : filters);
  return section('Deleted Volumes', answer.VolumesDeleted, answer.SpaceReclaimed);
}

export async function pruneImages(ctx: CliContext, filters: FilterValues, all: boolean): Promise<Pruned> {
  const dangling = [...(filters['dangling'] ?? []), String(!all)];
  const answer = await post(ctx, 'images', { ...filters, dangling });
  const lines = (answer.ImagesDeleted ?? []).map(({ Untagged, Deleted = '' }) =>
    Untagged === undefined || Untagged === '' ? `deleted: ${Deleted}` : `untagged: ${Untagged}`,
  );
  return { text: section('Deleted Images', lines, 0).text, bytes: answer.SpaceReclaimed ?? 0 };
}

export async function pruneBuildCache(ctx: CliContext, filters: FilterValues, all: boolean): Promise<Pruned> {
  const client = await ctx.client();
  const until = filters['until'];
  const encoded = encodeFilters(until === undefined ? {} : { until });
  const answer = (await client.post<PruneAnswer>('/build/prune', { all, filters: encoded })) ?? {};
  return section('Deleted build cache objects', answer.CachesDeleted, answer.SpaceReclaimed);
}

async function post(ctx: CliContext, kind: string, filters: FilterValues): Promise<PruneAnswer> {
  const client = await ctx.client();
  return (await client.post<PruneAnswer>(`/${kind}/prune`, { filters: encodeFilters(filters) })) ?? {};
}

function section(title: string, lines: readonly string[] | null | undefined, bytes: number | undefined): Pruned {
  if (!lines || lines.length === 0) return { text: '', bytes: 0 };
  return { text: `${title}:\n${lines.map((line) => `${line}\n`).join('')}`, bytes: bytes ?? 0 };
}
