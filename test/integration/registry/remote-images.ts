import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { RegistryProbe } from '../../helpers/registry-client.ts';
import { sha256, layerOf } from '../images/archives.ts';

/** Images as a registry has them, made in memory. */
export interface RemoteImage {
  readonly manifest: Buffer;
  readonly digest: string;
  readonly mediaType: string;
  /** The configuration's digest: the image's ID. */
  readonly id: string;
  /** Layers from the bottom. */
  readonly layers: readonly string[];
  /** Everything the manifest refers to, by digest. */
  readonly blobs: ReadonlyMap<string, Buffer>;
}

export const dockerManifest = 'application/vnd.docker.distribution.manifest.v2+json';
export const ociIndex = 'application/vnd.oci.image.index.v1+json';

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${sha256(bytes)}`;
}

export const hostArchitecture: string = process.arch === 'arm64' ? 'arm64' : 'amd64';

export interface ImageOptions {
  readonly architecture?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Changes to the manifest before it is written. */
  readonly manifest?: Readonly<Record<string, unknown>>;
}

let made = 0;

/** An image that nobody has seen before, with layers of one file each. */
export async function remoteImage(files: readonly string[], options: ImageOptions = {}): Promise<RemoteImage> {
  made += 1;
  const stamp = `${process.pid}-${made}-${Date.now()}`;
  const tars = await Promise.all(files.map((content, index) => layerOf(`f${index}`, `${stamp} ${content}`)));
  return imageOf(tars, options);
}

/** An image of these layer tars. */
export function imageOf(tars: readonly Buffer[], options: ImageOptions = {}): RemoteImage {
  const blobs = new Map<string, Buffer>();
  const put = (mediaType: string, bytes: Buffer): { mediaType: string; digest: string; size: number } => {
    blobs.set(digestOf(bytes), bytes);
    return { mediaType, digest: digestOf(bytes), size: bytes.length };
  };
  const config = Buffer.from(
    JSON.stringify({
      architecture: options.architecture ?? hostArchitecture,
      os: 'linux',
      config: { Cmd: ['/f0'], Labels: options.labels ?? null },
      rootfs: { type: 'layers', diff_ids: tars.map(digestOf) },
      history: tars.map((_tar, index) => ({ created: '2024-01-02T03:04:05Z', created_by: `step ${index}` })),
      created: '2024-01-02T03:04:05Z',
    }),
  );
  const layers = tars.map((tar) => put('application/vnd.docker.image.rootfs.diff.tar.gzip', gzipSync(tar)));
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: dockerManifest,
      config: put('application/vnd.docker.container.image.v1+json', config),
      layers,
      ...options.manifest,
    }),
  );
  return {
    manifest,
    digest: digestOf(manifest),
    mediaType: dockerManifest,
    id: digestOf(config),
    layers: layers.map(({ digest }) => digest),
    blobs,
  };
}

export interface RemoteIndex {
  readonly bytes: Buffer;
  readonly digest: string;
}

/** An index of manifests; entries may be anything. */
export function indexOf(entries: readonly object[], mediaType: string = ociIndex): RemoteIndex {
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests: entries }));
  return { bytes, digest: digestOf(bytes) };
}

/** An index's line about an image. */
export function entryOf(image: RemoteImage, architecture: string, variant?: string): object {
  const platform = { os: 'linux', architecture, ...(variant === undefined ? {} : { variant }) };
  return { mediaType: image.mediaType, digest: image.digest, size: image.manifest.length, platform };
}

/** Puts an image into a registry through its API. */
export async function upload(
  url: string,
  repository: string,
  image: RemoteImage,
  tags: readonly string[],
): Promise<void> {
  const probe = new RegistryProbe(url);
  for (const [digest, bytes] of image.blobs) {
    const location = new URL(await probe.beginUpload(repository), url);
    location.searchParams.set('digest', digest);
    const answer = await probe.send('PUT', location.pathname + location.search, { body: bytes });
    assert.equal(answer.status, 201, answer.body.toString());
  }
  for (const tag of tags) {
    const answer = await probe.pushManifest(repository, tag, image.manifest.toString(), image.mediaType);
    assert.equal(answer.status, 201, answer.body.toString());
  }
}

/** The first 12 digits, as progress lines call a layer. */
export function short(digest: string): string {
  return digest.replace('sha256:', '').slice(0, 12);
}
