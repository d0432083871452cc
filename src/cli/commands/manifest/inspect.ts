import { INDEX_TYPES } from '#registry';
import { formatReference, type ImageReference } from '#spec';
import type { CliContext } from '../../context.ts';
import { bool, CliError, type Command, defineCommand, rangeArgs } from '../../framework/index.ts';
import { bytesOf, formatManifestList, parseName, toManifestList } from './manifest-list.ts';
import { type ListedManifest, ManifestStore } from './manifest-store.ts';
import { Remote } from './remote.ts';

export const command: Command = defineCommand({
  usage: '[OPTIONS] [MANIFEST_LIST] MANIFEST',
  args: rangeArgs(1, 2),
  flags: {
    insecure: bool('Allow communication with an insecure registry'),
    verbose: bool('Output additional info including layers and platform', { short: 'v' }),
  },
  async run(ctx, { flags, args }) {
    const store = new ManifestStore(ctx);
    const show = { ctx, verbose: flags.verbose };
    const name = parseName(args.at(-1) ?? '');
    if (args.length === 2) {
      const local = store.find(parseName(args[0] ?? ''), name);
      if (!local) throw new CliError(`No such manifest: ${formatReference(name)}`);
      showImage(show, local);
      return;
    }
    const list = store.findList(name);
    if (list) {
      showList(show, name, list);
      return;
    }
    using remote = new Remote(ctx, flags.insecure ? name.domain : undefined);
    const manifest = await remote.get(name);
    if (!INDEX_TYPES.includes(manifest.mediaType)) showImage(show, await remote.image(name, manifest));
    else if (flags.verbose) showList(show, name, await remote.imagesOf(name, manifest));
    else ctx.out(`${indent(manifest.bytes, 3)}\n`);
  },
});

interface Show {
  ctx: CliContext;
  verbose: boolean;
}

function showImage({ ctx, verbose }: Show, image: ListedManifest): void {
  ctx.out(`${verbose ? JSON.stringify(image, undefined, '\t') : indent(bytesOf(image), '\t')}\n`);
}

function showList({ ctx, verbose }: Show, name: ImageReference, images: readonly ListedManifest[]): void {
  ctx.out(
    verbose ? `${JSON.stringify(images, undefined, '\t')}\n` : `${formatManifestList(toManifestList(name, images))}\n`,
  );
}

function indent(bytes: Buffer, by: number | string): string {
  return JSON.stringify(JSON.parse(bytes.toString('utf8')), undefined, by);
}
