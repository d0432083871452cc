import type { ContainerSummary, ImageSummary, VolumeInspect } from '#spec';
import type { CliContext } from '../../context.ts';
import { bool, type Command, defineCommand, noArgs, string } from '../../framework/index.ts';
import type { BuildCacheRecord } from '../../output/build-cache-rows.ts';
import { formatHelp } from '../../output/format-help.ts';
import { type ListRow, type ListShape, printList } from '../../output/list.ts';
import { humanSize } from '../../output/units.ts';

/** Answer of `GET /system/df`. */
export interface DiskUsage {
  readonly LayersSize?: number;
  readonly Images?: readonly ImageSummary[] | null;
  readonly Containers?: readonly ContainerSummary[] | null;
  readonly Volumes?: readonly VolumeInspect[] | null;
  readonly BuildCache?: readonly BuildCacheRecord[] | null;
}

const shape: ListShape = {
  typeName: '*formatter.diskUsageImagesContext',
  headers: { Type: 'TYPE', TotalCount: 'TOTAL', Active: 'ACTIVE', Size: 'SIZE', Reclaimable: 'RECLAIMABLE' },
  columns: ['Type', 'TotalCount', 'Active', 'Size', 'Reclaimable'],
  raw: 'type: {{.Type}}\ntotal: {{.TotalCount}}\nactive: {{.Active}}\nsize: {{.Size}}\nreclaimable: {{.Reclaimable}}\n',
};

const activeStates = new Set<string>(['running', 'paused', 'restarting']);

export const command: Command = defineCommand({
  usage: '[OPTIONS]',
  args: noArgs,
  flags: {
    format: string(formatHelp),
    verbose: bool('Show detailed information on space usage', { short: 'v' }),
  },
  async run(ctx, { flags }) {
    const client = await ctx.client();
    const usage = await client.get<DiskUsage>('/system/df');
    if (flags.verbose) {
      const { printVerbose } = await import('./df-verbose.ts');
      await printVerbose(ctx, usage, flags.format);
      return;
    }
    await printSummary(ctx, usage, flags.format);
  },
});

async function printSummary(ctx: CliContext, usage: DiskUsage, format: string): Promise<void> {
  await printList(ctx, shape, format, [
    imagesRow(usage),
    containersRow(usage),
    volumesRow(usage),
    buildCacheRow(usage),
  ]);
}

function summaryRow(
  type: string,
  total: number,
  active: number,
  size: number,
  free: number,
  percent: boolean,
): ListRow {
  const share = percent && size > 0 ? ` (${Math.trunc((free * 100) / size)}%)` : '';
  return {
    columns: {
      Type: () => type,
      TotalCount: () => String(total),
      Active: () => String(active),
      Size: () => humanSize(size),
      Reclaimable: () => humanSize(free) + share,
    },
  };
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

function imagesRow(usage: DiskUsage): ListRow {
  const images = usage.Images ?? [];
  const size = usage.LayersSize ?? 0;
  const used = images.filter((image) => image.Containers > 0);
  const held = sum(
    images.filter((image) => image.Containers !== 0 && image.Size !== -1 && image.SharedSize !== -1),
    (image) => image.Size - image.SharedSize,
  );
  return summaryRow('Images', images.length, used.length, size, size - held, true);
}

function containersRow(usage: DiskUsage): ListRow {
  const containers = usage.Containers ?? [];
  const sizeOf = (container: ContainerSummary): number => container.SizeRw ?? 0;
  const active = containers.filter((container) => activeStates.has(container.State));
  const idle = containers.filter((container) => !activeStates.has(container.State));
  return summaryRow('Containers', containers.length, active.length, sum(containers, sizeOf), sum(idle, sizeOf), true);
}

function volumesRow(usage: DiskUsage): ListRow {
  const volumes = usage.Volumes ?? [];
  const sizeOf = (volume: VolumeInspect): number => Math.max(0, volume.UsageData?.Size ?? 0);
  const inUse = (volume: VolumeInspect): boolean => (volume.UsageData?.RefCount ?? 0) > 0;
  const active = volumes.filter(inUse);
  const idle = volumes.filter((volume) => volume.UsageData?.RefCount === 0);
  return summaryRow('Local Volumes', volumes.length, active.length, sum(volumes, sizeOf), sum(idle, sizeOf), true);
}

function buildCacheRow(usage: DiskUsage): ListRow {
  const records = usage.BuildCache ?? [];
  const active = records.filter((record) => record.InUse);
  const size = sum(
    records.filter((record) => !record.Shared),
    (record) => record.Size,
  );
  const held = sum(
    active.filter((record) => !record.Shared),
    (record) => record.Size,
  );
  return summaryRow('Build Cache', records.length, active.length, size, size - held, false);
}
