import { formatReference, type ImageReference, parseReference } from '#spec';
import type { CliContext } from '../../context.ts';
import { bool, CliError, type Command, defineCommand, exactArgs } from '../../framework/index.ts';
import {
  blobsOf,
  bytesOf,
  checkPlatforms,
  formatManifestList,
  isElsewhere,
  parseName,
  pushedName,
  toManifestList,
} from './manifest-list.ts';
import { type ListedManifest, ManifestStore } from './manifest-store.ts';
import { Remote } from './remote.ts';

export const command: Command = defineCommand({
  usage: '[OPTIONS] MANIFEST_LIST',
  args: exactArgs(1),
  flags: {
    insecure: bool('Allow push to an insecure registry'),
    purge: bool('Remove the local manifest list after push', { short: 'p' }),
  },
  async run(ctx, { flags, args }) {
    const target = parseName(args[0] ?? '');
    const store = new ManifestStore(ctx);
    const images = store.getList(target);
    if (images.length === 0) throw new CliError(`${formatReference(target)} not found`);
    checkPlatforms(images);
    const list = toManifestList(target, images);
    using remote = new Remote(ctx, flags.insecure ? target.domain : undefined);
    for (const image of images.filter((each) => isElsewhere(target, each))) await copyImage(ctx, remote, target, image);
    const repository = await remote.repository(target, 'push');
    const manifest = { mediaType: list.mediaType ?? '', bytes: Buffer.from(formatManifestList(list)) };
    const digest = await repository.putManifest(target.digest ?? target.tag ?? '', manifest, { signal: remote.signal });
    ctx.out(`${digest}\n`);
    if (flags.purge) store.remove(target);
  },
});

/** Brings an image of another repository into the list's: its blobs are mounted where the registry can, else copied. */
async function copyImage(
  ctx: CliContext,
  remote: Remote,
  target: ImageReference,
  image: ListedManifest,
): Promise<void> {
  const { signal } = remote;
  const source = parseReference(image.Ref);
  const from = await remote.repository(source, 'pull');
  const to = await remote.repository(target, 'push');
  for (const { digest, size } of blobsOf(image)) {
    const blob = { digest, sizeBytes: size };
    const open = (offset: number): AsyncIterable<Uint8Array> => skip(from.readBlob(blob, { signal }), offset);
    await to.pushBlob(blob, { open, mountFrom: [source.path], signal });
  }
  const { mediaType, digest } = image.Descriptor;
  const pushed = await to.putManifest(digest, { mediaType, bytes: bytesOf(image) }, { signal });
  ctx.out(`Pushed ref ${pushedName(target, image)} with digest: ${pushed}\n`);
}

async function* skip(content: AsyncIterable<Buffer>, offset: number): AsyncGenerator<Uint8Array> {
  let left = offset;
  for await (const chunk of content) {
    if (left < chunk.length) yield chunk.subarray(left);
    left = Math.max(0, left - chunk.length);
  }
}
