import type { CliContext } from '../../context.ts';
import { CliError } from '../../framework/errors.ts';
import { buildCacheRow, buildCacheShape } from '../../output/build-cache-rows.ts';
import { containerRow, containerShape } from '../../output/container-rows.ts';
import { splitTag } from '../../output/familiar-name.ts';
import { imageRow, imageShape, isDangling } from '../../output/image-rows.ts';
import { type ListRow, plainTable, templateText } from '../../output/list.ts';
import { humanSize } from '../../output/units.ts';
import { volumeRow, volumeShape } from '../../output/volume-rows.ts';
import type { DiskUsage } from './df.ts';

interface Sections {
  readonly images: readonly ListRow[];
  readonly containers: readonly ListRow[];
  readonly volumes: readonly ListRow[];
  readonly buildCache: readonly ListRow[];
}

/** `system df -v`: a table per kind, or one template over all of them. */
export async function printVerbose(ctx: CliContext, usage: DiskUsage, format: string): Promise<void> {
  const table = format === '' || format === 'table';
  const sections = sectionsOf(usage, table);
  if (!table) return await printTemplate(ctx, sections, format);
  const cacheSize = (usage.BuildCache ?? []).reduce((total, { Shared, Size }) => total + (Shared ? 0 : Size), 0);
  const imageColumns = ['Repository', 'Tag', 'ID', 'CreatedSince', 'Size', 'SharedSize', 'UniqueSize', 'Containers'];
  const containerColumns = ['ID', 'Image', 'Command', 'LocalVolumes', 'Size', 'RunningFor', 'Status', 'Names'];
  ctx.out(
    [
      `Images space usage:\n\n${plainTable({ ...imageShape, columns: imageColumns }, sections.images)}`,
      `Containers space usage:\n\n${plainTable({ ...containerShape, columns: containerColumns }, sections.containers)}`,
      `Local Volumes space usage:\n\n${plainTable({ ...volumeShape, columns: ['Name', 'Links', 'Size'] }, sections.volumes)}`,
      `Build cache usage: ${humanSize(cacheSize)}\n\n${plainTable(buildCacheShape, sections.buildCache)}`,
    ].join('\n'),
  );
}

function sectionsOf(usage: DiskUsage, truncate: boolean): Sections {
  return {
    images: (usage.Images ?? []).map((image) => {
      const { repository, tag } = splitTag(isDangling(image) ? '' : (image.RepoTags[0] ?? ''));
      const name = { repository: repository || '<none>', tag: tag || '<none>', digest: '' };
      return imageRow(image, name, truncate);
    }),
    containers: (usage.Containers ?? []).map((container) => containerRow({ ...container, SizeRootFs: 0 }, truncate)),
    volumes: (usage.Volumes ?? []).map(volumeRow),
    buildCache: (usage.BuildCache ?? []).map((record) => buildCacheRow(record, truncate)),
  };
}

async function printTemplate(ctx: CliContext, sections: Sections, format: string): Promise<void> {
  const { executeTemplate, GoMap, GoRow, parseTemplate, standardFunctions } = await import('../../templates/index.ts');
  const rows = (list: readonly ListRow[], typeName: string): InstanceType<typeof GoRow>[] =>
    list.map((row) => new GoRow(typeName, row.columns, row.methods));
  const data = new GoMap(
    new Map([
      ['Images', rows(sections.images, imageShape.typeName)],
      ['Containers', rows(sections.containers, containerShape.typeName)],
      ['Volumes', rows(sections.volumes, volumeShape.typeName)],
      ['BuildCache', rows(sections.buildCache, buildCacheShape.typeName)],
    ]),
    { structName: '*formatter.diskUsageContext' },
  );
  try {
    const template = parseTemplate(templateText(format), new Set(standardFunctions.keys()));
    ctx.out(executeTemplate(template, data, { functions: standardFunctions }));
  } catch (error) {
    throw new CliError(error instanceof Error ? error.message : String(error));
  }
}
