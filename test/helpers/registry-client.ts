import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';

/** An answer with its body read. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
}

export interface Sent {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
}

export const ociManifest = 'application/vnd.oci.image.manifest.v1+json';
export const ociIndex = 'application/vnd.oci.image.index.v1+json';

export function digestOf(content: Buffer | string): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

/** Bytes nobody has pushed before. */
export function someBytes(length = 1000): Buffer {
  return randomBytes(length);
}

export function errorCodes(answer: Answer): string[] {
  const { errors } = JSON.parse(answer.body.toString()) as { errors: { code: string }[] };
  return errors.map(({ code }) => code);
}

/** A plain client for tests: what is asked for is what is sent. */
export class RegistryProbe {
  readonly url: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(url: string, headers: Readonly<Record<string, string>> = {}) {
    this.url = url;
    this.#headers = headers;
  }

  /** The same client with a header more. */
  with(headers: Readonly<Record<string, string>>): RegistryProbe {
    return new RegistryProbe(this.url, { ...this.#headers, ...headers });
  }

  /** The path goes out as it is: no normalising, no encoding. */
  async send(method: string, path: string, { headers = {}, body }: Sent = {}): Promise<Answer> {
    const target = new URL(this.url);
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const outgoing = httpRequest(
      {
        host: target.hostname,
        port: target.port,
        method,
        path: path.startsWith('http') ? path.slice(this.url.length) : path,
        headers: {
          ...this.#headers,
          ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
          ...headers,
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: new Headers(
              Object.entries(response.headersDistinct).flatMap(([name, values]) =>
                (values ?? []).map((value) => [name, value] as [string, string]),
              ),
            ),
            body: Buffer.concat(chunks),
          }),
        );
      },
    );
    outgoing.once('error', reject);
    outgoing.end(body);
    return await promise;
  }

  async get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return await this.send('GET', path, { headers });
  }

  async beginUpload(repository: string): Promise<string> {
    const answer = await this.send('POST', `/v2/${repository}/blobs/uploads/`);
    assert.equal(answer.status, 202);
    return answer.headers.get('location') ?? '';
  }

  async pushBlob(repository: string, content: Buffer): Promise<string> {
    const digest = digestOf(content);
    const location = await this.beginUpload(repository);
    const answer = await this.send('PUT', `${location}${location.includes('?') ? '&' : '?'}digest=${digest}`, {
      body: content,
    });
    assert.equal(answer.status, 201, answer.body.toString());
    return digest;
  }

  async pushManifest(
    repository: string,
    reference: string,
    manifest: object | string,
    mediaType: string = ociManifest,
  ): Promise<Answer> {
    const body = typeof manifest === 'string' ? manifest : JSON.stringify(manifest);
    return await this.send('PUT', `/v2/${repository}/manifests/${reference}`, {
      headers: { 'content-type': mediaType },
      body,
    });
  }

  /** Pushes a config and a layer and answers a manifest of them. */
  async makeManifest(
    repository: string,
    more: object = {},
  ): Promise<{ text: string; digest: string; blobs: string[] }> {
    const [config, layer] = [Buffer.from('{}'), someBytes()];
    const blobs = [await this.pushBlob(repository, config), await this.pushBlob(repository, layer)];
    const descriptor = (index: number, mediaType: string, size: number): object => ({
      mediaType,
      digest: blobs[index],
      size,
    });
    const text = JSON.stringify({
      schemaVersion: 2,
      mediaType: ociManifest,
      config: descriptor(0, 'application/vnd.oci.image.config.v1+json', config.length),
      layers: [descriptor(1, 'application/vnd.oci.image.layer.v1.tar', layer.length)],
      ...more,
    });
    return { text, digest: digestOf(text), blobs };
  }

  /** {@link makeManifest}, pushed under a tag. */
  async pushImage(
    repository: string,
    tag: string,
    more: object = {},
  ): Promise<{ text: string; digest: string; blobs: string[] }> {
    const made = await this.makeManifest(repository, more);
    const answer = await this.pushManifest(repository, tag, made.text);
    assert.equal(answer.status, 201, answer.body.toString());
    return made;
  }
}
