import type { ServerResponse } from 'node:http';
import type { TestContext } from 'node:test';
import { fakeServer, registryOf, sendError, type FakeServer } from './fake-registry.ts';
import { digestOf, type RemoteImage, type RemoteIndex } from './remote-images.ts';

/** Answers for a blob instead of the blob itself. */
export type BlobHook = (response: ServerResponse, bytes: Buffer) => void | Promise<void>;

interface Document {
  readonly mediaType: string;
  readonly bytes: Buffer;
}

type State = Pick<ImageServer, 'manifests' | 'blobs' | 'hooks'>;

/** A registry that only reads, in this process, whose answers a test can bend. */
export class ImageServer {
  readonly fake: FakeServer;
  /** By tag and by digest. */
  readonly manifests: Map<string, Document>;
  readonly blobs: Map<string, Buffer>;
  readonly hooks: Map<string, BlobHook>;

  private constructor(fake: FakeServer, state: State) {
    this.fake = fake;
    this.manifests = state.manifests;
    this.blobs = state.blobs;
    this.hooks = state.hooks;
  }

  static async start(t: TestContext): Promise<ImageServer> {
    const state: State = { manifests: new Map(), blobs: new Map(), hooks: new Map() };
    const fake = await fakeServer(
      t,
      registryOf(async (request, response) => {
        const [, kind = '', name = ''] = /\/(manifests|blobs)\/([^/?]+)$/.exec(request.url ?? '') ?? [];
        if (kind === 'manifests') sendDocument(response, state.manifests.get(name), request.method === 'HEAD');
        else await sendBlob(response, state.blobs.get(name), state.hooks.get(name));
      }),
    );
    return new ImageServer(fake, state);
  }

  get host(): string {
    return this.fake.host;
  }

  /** How often the blob was asked for. */
  asked(digest: string): number {
    return this.fake.seen.filter(({ method, url }) => method === 'GET' && url.endsWith(`/blobs/${digest}`)).length;
  }

  add(image: RemoteImage, tag?: string): void {
    for (const [digest, bytes] of image.blobs) this.blobs.set(digest, bytes);
    this.addDocument(image.manifest, image.mediaType, tag);
  }

  addIndex(index: RemoteIndex, tag?: string): void {
    this.addDocument(index.bytes, 'application/vnd.oci.image.index.v1+json', tag);
  }

  addDocument(bytes: Buffer, mediaType: string, tag?: string): void {
    this.manifests.set(digestOf(bytes), { bytes, mediaType });
    if (tag !== undefined) this.manifests.set(tag, { bytes, mediaType });
  }
}

function sendDocument(response: ServerResponse, found: Document | undefined, isHead: boolean): void {
  if (!found) {
    sendError(response, 404, 'MANIFEST_UNKNOWN', 'manifest unknown');
    return;
  }
  response.writeHead(200, {
    'Content-Type': found.mediaType,
    'Content-Length': found.bytes.length,
    'Docker-Content-Digest': digestOf(found.bytes),
  });
  response.end(isHead ? undefined : found.bytes);
}

async function sendBlob(
  response: ServerResponse,
  bytes: Buffer | undefined,
  hook: BlobHook | undefined,
): Promise<void> {
  if (!bytes) {
    sendError(response, 404, 'BLOB_UNKNOWN', 'blob unknown to registry');
    return;
  }
  response.writeHead(200, { 'Content-Type': 'application/octet-stream', 'Content-Length': bytes.length });
  if (hook) await hook(response, bytes);
  else response.end(bytes);
}
