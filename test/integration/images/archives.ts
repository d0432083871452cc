import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { createTarWriter, type TarHeaderInit } from '#archive';

/** Makes image archives of every form, in memory. */

export type Entry = TarHeaderInit & { content?: string | Uint8Array };

export async function tarOf(entries: readonly Entry[]): Promise<Buffer> {
  const writer = createTarWriter();
  const reading = Readable.from(writer.stream).toArray() as Promise<Buffer[]>;
  for (const { content, ...header } of entries) await writer.add(header, content);
  await writer.end();
  return Buffer.concat(await reading);
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A layer with one file. */
export async function layerOf(name: string, content: string = name): Promise<Buffer> {
  return await tarOf([{ name, content }]);
}

export interface ArchiveImage {
  layers: readonly Buffer[];
  tags: readonly string[];
  config?: Record<string, unknown>;
  created?: string;
  architecture?: string;
  variant?: string;
  compress?: 'gzip' | 'zstd' | 'xz' | undefined;
}

export function configOf(image: ArchiveImage): Buffer {
  return Buffer.from(
    JSON.stringify({
      architecture: image.architecture ?? (process.arch === 'arm64' ? 'arm64' : 'amd64'),
      os: 'linux',
      ...(image.variant === undefined ? {} : { variant: image.variant }),
      created: image.created ?? '2024-01-02T03:04:05Z',
      config: image.config ?? { Cmd: ['sh'] },
      rootfs: { type: 'layers', diff_ids: image.layers.map((layer) => `sha256:${sha256(layer)}`) },
      history: image.layers.map((_layer, index) => ({ created: '2024-01-02T03:04:05Z', created_by: `step ${index}` })),
    }),
  );
}

export function idOf(image: ArchiveImage): string {
  return `sha256:${sha256(configOf(image))}`;
}

function compressed(layer: Buffer, compress: ArchiveImage['compress']): Buffer {
  if (compress === undefined) return layer;
  if (compress === 'xz') return execFileSync('xz', ['-c'], { input: layer });
  return compress === 'gzip' ? gzipSync(layer) : zstdCompressSync(layer);
}

/** `docker save` since 1.10. The manifest comes last, as dockerd writes it. */
export async function dockerArchive(images: readonly ArchiveImage[]): Promise<Buffer> {
  const entries = new Map<string, Entry>();
  const manifest = images.map((image) => {
    const config = configOf(image);
    const layers = image.layers.map((layer) => {
      const name = `${sha256(layer)}/layer.tar`;
      entries.set(name, { name, content: compressed(layer, image.compress) });
      return name;
    });
    const name = `${sha256(config)}.json`;
    entries.set(name, { name, content: config });
    return { Config: name, RepoTags: image.tags, Layers: layers };
  });
  return await tarOf([...entries.values(), { name: 'manifest.json', content: JSON.stringify(manifest) }]);
}

/** An OCI layout; every image has its platform in the index. */
export async function ociArchive(images: readonly ArchiveImage[], extra: readonly Entry[] = []): Promise<Buffer> {
  const blobs = new Map<string, Buffer>();
  const put = (mediaType: string, bytes: Buffer): Record<string, unknown> => {
    blobs.set(sha256(bytes), bytes);
    return { mediaType, digest: `sha256:${sha256(bytes)}`, size: bytes.length };
  };
  const manifests = images.map((image) => {
    const suffix = image.compress === undefined ? '' : `+${image.compress}`;
    const manifest = {
      schemaVersion: 2,
      config: put('application/vnd.oci.image.config.v1+json', configOf(image)),
      layers: image.layers.map((layer) =>
        put(`application/vnd.oci.image.layer.v1.tar${suffix}`, compressed(layer, image.compress)),
      ),
    };
    const descriptor = put('application/vnd.oci.image.manifest.v1+json', Buffer.from(JSON.stringify(manifest)));
    const [name] = image.tags;
    return {
      ...descriptor,
      platform: { os: 'linux', architecture: image.architecture ?? (process.arch === 'arm64' ? 'arm64' : 'amd64') },
      ...(name === undefined ? {} : { annotations: { 'io.containerd.image.name': name } }),
    };
  });
  return await tarOf([
    { name: 'oci-layout', content: '{"imageLayoutVersion":"1.0.0"}' },
    { name: 'index.json', content: JSON.stringify({ schemaVersion: 2, manifests }) },
    ...[...blobs].map(([hex, content]) => ({ name: `blobs/sha256/${hex}`, content })),
    ...extra,
  ]);
}

/** `docker save` before 1.10: a chain of folders, the tag on the last. */
export async function legacyArchive(layers: readonly Buffer[], repository: string, tag: string): Promise<Buffer> {
  const ids = layers.map((layer, index) => sha256(Buffer.from(`${index} ${sha256(layer)}`)));
  const entries = layers.flatMap((content, index): Entry[] => {
    const json = {
      id: ids[index],
      ...(index === 0 ? {} : { parent: ids[index - 1] }),
      created: '2014-01-01T00:00:00Z',
      container_config: { Cmd: ['/bin/sh', '-c', `step ${index}`] },
      config: { Cmd: ['sh'] },
      architecture: 'amd64',
      os: 'linux',
      Size: content.length,
    };
    return [
      { name: `${ids[index]}/`, type: 'directory' },
      { name: `${ids[index]}/VERSION`, content: '1.0' },
      { name: `${ids[index]}/json`, content: JSON.stringify(json) },
      { name: `${ids[index]}/layer.tar`, content },
    ];
  });
  const repositories = { [repository]: { [tag]: ids.at(-1) } };
  return await tarOf([...entries, { name: 'repositories', content: JSON.stringify(repositories) }]);
}

/** An index as an archive or a registry has it. */
export interface BuiltIndex {
  bytes: Buffer;
  digest: string;
  /** Manifest digests, in the order of the index. */
  manifests: string[];
  /** Everything below it, and itself, by digest. */
  blobs: Map<string, Buffer>;
}

const TYPES = {
  config: 'application/vnd.oci.image.config.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
  empty: 'application/vnd.oci.empty.v1+json',
};

/**
 * An index of the images, by platform; with `extras` also what is attested of the first one, as buildkit writes it, and an
 * artifact with the empty configuration.
 */
export function indexOf(images: readonly ArchiveImage[], options: { extras?: boolean } = {}): BuiltIndex {
  const blobs = new Map<string, Buffer>();
  const put = (mediaType: string, bytes: Buffer): { mediaType: string; digest: string; size: number } => {
    blobs.set(`sha256:${sha256(bytes)}`, bytes);
    return { mediaType, digest: `sha256:${sha256(bytes)}`, size: bytes.length };
  };
  const json = (mediaType: string, value: unknown): ReturnType<typeof put> =>
    put(mediaType, Buffer.from(JSON.stringify(value)));
  const descriptors: Record<string, unknown>[] = images.map((image) => {
    const suffix = image.compress === undefined ? '' : `+${image.compress}`;
    const manifest = json(TYPES.manifest, {
      schemaVersion: 2,
      mediaType: TYPES.manifest,
      config: put(TYPES.config, configOf(image)),
      layers: image.layers.map((layer) =>
        put(`application/vnd.oci.image.layer.v1.tar${suffix}`, compressed(layer, image.compress)),
      ),
    });
    const variant = image.variant === undefined ? {} : { variant: image.variant };
    return { ...manifest, platform: { architecture: image.architecture ?? hostArchitecture, os: 'linux', ...variant } };
  });
  if (options.extras === true) {
    const statement = put('application/vnd.in-toto+json', Buffer.from('{"_type":"https://in-toto.io/Statement/v0.1"}'));
    const attestation = json(TYPES.manifest, {
      schemaVersion: 2,
      mediaType: TYPES.manifest,
      config: json(TYPES.config, {
        architecture: 'unknown',
        os: 'unknown',
        config: {},
        rootfs: { type: 'layers', diff_ids: [statement.digest] },
      }),
      layers: [{ ...statement, annotations: { 'in-toto.io/predicate-type': 'https://slsa.dev/provenance/v0.2' } }],
    });
    const artifact = json(TYPES.manifest, {
      schemaVersion: 2,
      mediaType: TYPES.manifest,
      artifactType: 'application/vnd.example.thing',
      config: put(TYPES.empty, Buffer.from('{}')),
      layers: [put('text/plain', Buffer.from('no file system'))],
    });
    descriptors.push(
      {
        ...attestation,
        annotations: {
          'vnd.docker.reference.digest': descriptors[0]?.['digest'],
          'vnd.docker.reference.type': 'attestation-manifest',
        },
        platform: { architecture: 'unknown', os: 'unknown' },
      },
      { ...artifact, artifactType: 'application/vnd.example.thing' },
    );
  }
  const index = json(TYPES.index, { schemaVersion: 2, mediaType: TYPES.index, manifests: descriptors });
  return {
    bytes: blobs.get(index.digest) ?? Buffer.alloc(0),
    digest: index.digest,
    manifests: descriptors.map((descriptor) => String(descriptor['digest'])),
    blobs,
  };
}

const hostArchitecture = process.arch === 'arm64' ? 'arm64' : 'amd64';

/** An index that lists nothing but indexes. */
export function indexOfIndexes(...nested: readonly BuiltIndex[]): BuiltIndex {
  const manifests = nested.map(({ digest, bytes }) => ({ mediaType: TYPES.index, digest, size: bytes.length }));
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: TYPES.index, manifests }));
  const digest = `sha256:${sha256(bytes)}`;
  const blobs = new Map([...nested.flatMap((index) => [...index.blobs]), [digest, bytes] as const]);
  return { bytes, digest, manifests: nested.map((index) => index.digest), blobs };
}

/**
 * An OCI layout with one index.
 *
 * @param without - digests of blobs that are left out.
 * @param more - other indexes, whose blobs are among the first one's.
 */
export async function indexArchive(
  index: BuiltIndex,
  name?: string,
  without: readonly string[] = [],
  more: readonly { index: BuiltIndex; name: string }[] = [],
): Promise<Buffer> {
  const manifests = [{ index, name }, ...more].map(({ index: { digest, bytes }, name: text }) => ({
    mediaType: TYPES.index,
    digest,
    size: bytes.length,
    ...(text === undefined ? {} : { annotations: { 'io.containerd.image.name': text } }),
  }));
  const blobs = [...index.blobs].filter(([digest]) => !without.includes(digest));
  return await tarOf([
    { name: 'oci-layout', content: '{"imageLayoutVersion":"1.0.0"}' },
    { name: 'index.json', content: JSON.stringify({ schemaVersion: 2, manifests }) },
    ...blobs.map(([digest, content]) => ({ name: `blobs/sha256/${digest.slice('sha256:'.length)}`, content })),
  ]);
}
