import { formatPlatform, type ImageSummary, type ManifestSummary } from '#spec';
import { displayWidth, ellipsis, shortId } from './text.ts';
import { humanSize } from './units.ts';

/** One line: a name or a platform, and what there is to say of it. */
interface Line {
  readonly name: string;
  readonly id: string;
  readonly diskUsage: string;
  readonly contentSize: string;
  readonly inUse: boolean;
  /** A name of an image, and not one of its platforms. */
  readonly isTop: boolean;
}

interface Column {
  readonly title: string;
  readonly width: number;
  readonly value: (line: Line) => string;
  readonly alignRight?: boolean;
}

const SPACING = '   ';
const MIN_NAME_WIDTH = 12;
const columns: readonly Column[] = [
  { title: 'ID', width: 12, value: (line) => shortId(line.id) },
  { title: 'DISK USAGE', width: 10, value: (line) => line.diskUsage, alignRight: true },
  { title: 'CONTENT SIZE', width: 12, value: (line) => line.contentSize, alignRight: true },
  { title: 'EXTRA', width: 5, value: (line) => (line.inUse ? 'U' : '') },
];

/**
 * The tree of `images --tree`: every image with the platforms its index lists, newest first. Images must have come with
 * their manifests.
 *
 * @param width - terminal columns; those at the right that do not fit are left out.
 * @param bold - marks a title or a name.
 */
export function imageTree(images: readonly ImageSummary[], width: number, bold: (text: string) => string): string {
  const blocks = images.toSorted((a, b) => b.Created - a.Created).map(blockOf);
  const lines = blocks.flat();
  const shown = fittingColumns(width);
  const room = width - shown.reduce((sum, column) => sum + column.width + SPACING.length, 0);
  const widest = Math.max('IMAGE'.length, ...lines.map((line) => displayWidth(line.name)));
  const nameWidth = Math.max(Math.min(room, widest), MIN_NAME_WIDTH);
  const row = (name: string, cells: readonly string[]): string => [name, ...cells].join(SPACING).trimEnd();
  const head = row(
    bold(pad('IMAGE', nameWidth)),
    shown.map(({ title, width: wide }) => bold(pad(title, wide))),
  );
  const isSpaced = blocks.some((block) => block.some((line) => !line.isTop));
  const texts = blocks.map((block) =>
    block
      .map((line) => {
        const name = pad(ellipsis(line.name, nameWidth), nameWidth);
        const cells =
          line.id === '' ? [] : shown.map((column) => pad(column.value(line), column.width, column.alignRight));
        return `${row(line.isTop ? bold(name) : name, cells)}\n`;
      })
      .join(''),
  );
  const legend = 'Info ->  U In Use';
  return `${pad(legend, width, true)}\n\n${head}\n${texts.join(isSpaced ? '\n' : '')}`;
}

function fittingColumns(width: number): Column[] {
  const shown: Column[] = [];
  let room = width;
  for (const column of columns) {
    room -= column.width + SPACING.length;
    if (room < MIN_NAME_WIDTH) break;
    shown.push(column);
  }
  return shown;
}

/** The names of an image, the longest first, details beside the last; then its platforms. */
function blockOf(image: ImageSummary): Line[] {
  const manifests = (image.Manifests ?? []).filter((manifest) => manifest.Kind === 'image');
  const contentBytes = (image.Manifests ?? []).reduce((sum, manifest) => sum + manifest.Size.Content, 0);
  const names = image.RepoTags.length === 0 ? ['<untagged>'] : image.RepoTags.toSorted((a, b) => b.length - a.length);
  const tops = names.map((name, position): Line => {
    if (position < names.length - 1) return { ...nothing, name };
    return {
      name,
      id: image.Id,
      diskUsage: humanSize(image.Size, 3),
      contentSize: humanSize(contentBytes, 3),
      inUse: image.Containers > 0 || manifests.some(isUsed),
      isTop: true,
    };
  });
  return [...tops, ...manifests.map((manifest, position) => platformLine(manifest, position === manifests.length - 1))];
}

const nothing: Line = { name: '', id: '', diskUsage: '', contentSize: '', inUse: false, isTop: true };

function isUsed(manifest: ManifestSummary): boolean {
  return (manifest.ImageData?.Containers ?? []).length > 0;
}

function platformLine(manifest: ManifestSummary, isLast: boolean): Line {
  const platform = manifest.ImageData?.Platform;
  const text = platform === undefined || platform.os === '' ? 'unknown' : formatPlatform(platform);
  return {
    name: `${isLast ? '└─' : '├─'} ${text}`,
    id: manifest.ID,
    diskUsage: humanSize(manifest.Size.Total, 3),
    contentSize: humanSize(manifest.Size.Content, 3),
    inUse: isUsed(manifest),
    isTop: false,
  };
}

function pad(text: string, width: number, alignRight = false): string {
  const fill = ' '.repeat(Math.max(0, width - displayWidth(text)));
  return alignRight ? fill + text : text + fill;
}
