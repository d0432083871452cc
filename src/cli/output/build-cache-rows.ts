import { parseRfc3339Nano } from '#lib';
import type { ListRow, ListShape } from './list.ts';
import { shortId } from './text.ts';
import { goTimeTextOf } from './time.ts';
import { humanSince, humanSize } from './units.ts';

/** One record of the build cache in `/system/df`. */
export interface BuildCacheRecord {
  readonly ID: string;
  readonly Parents?: readonly string[] | null;
  readonly Parent?: string;
  readonly Type: string;
  readonly Description: string;
  readonly InUse: boolean;
  readonly Shared: boolean;
  readonly Size: number;
  readonly CreatedAt: string;
  readonly LastUsedAt?: string | null;
  readonly UsageCount: number;
}

export const buildCacheShape: ListShape = {
  typeName: '*formatter.buildCacheContext',
  headers: {
    ID: 'CACHE ID',
    Parent: 'PARENT',
    CacheType: 'CACHE TYPE',
    Size: 'SIZE',
    CreatedSince: 'CREATED',
    LastUsedSince: 'LAST USED',
    UsageCount: 'USAGE',
    InUse: 'IN USE',
    Shared: 'SHARED',
    Description: 'DESCRIPTION',
  },
  columns: ['ID', 'CacheType', 'Size', 'CreatedSince', 'LastUsedSince', 'UsageCount', 'Shared'],
};

export function buildCacheRow(record: BuildCacheRecord, truncate: boolean): ListRow {
  const short = (id: string): string => (truncate ? shortId(id) : id);
  const since = (time: string): string => humanSince(Number((parseRfc3339Nano(time) ?? 0n) / 1_000_000n) / 1000);
  const used = record.LastUsedAt ?? '';
  return {
    columns: {
      ID: () => short(record.ID) + (record.InUse ? '*' : ''),
      Parent: () => short((record.Parents ?? []).join(', ') || (record.Parent ?? '')),
      CacheType: () => record.Type,
      Description: () => record.Description,
      Size: () => humanSize(record.Size, 3),
      CreatedAt: () => goTimeTextOf(record.CreatedAt),
      CreatedSince: () => since(record.CreatedAt),
      LastUsedAt: () => (used === '' ? '' : goTimeTextOf(used)),
      LastUsedSince: () => (used === '' ? '' : since(used)),
      UsageCount: () => String(record.UsageCount),
      InUse: () => String(record.InUse),
      Shared: () => String(record.Shared),
    },
  };
}
