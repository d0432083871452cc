import { EngineError } from '#errors';
import {
  createRegistryClient,
  INDEX_TYPES,
  MANIFEST_TYPES,
  MEDIA_TYPE,
  type RegistryClient,
  type RemoteManifest,
  type RemoteRepository,
} from '#registry';
import { formatReference, type ImageReference, type oci } from '#spec';
import { readCredentials, registryKey } from '../../config/credentials.ts';
import type { CliContext } from '../../context.ts';
import { CliError } from '../../framework/index.ts';
import { clientVersion } from '../../version.ts';
import type { ListedManifest } from './manifest-store.ts';

/** A configuration beyond this size is no image's. */
const MAX_CONFIG_BYTES = 8 * 1024 * 1024;

/** The registries as this user sees them. */
export class Remote implements Disposable {
  readonly #ctx: CliContext;
  readonly #client: RegistryClient;
  readonly #signal: AbortSignal;

  /** @param insecure - the host that may be reached without a certificate that holds, or without TLS. */
  constructor(ctx: CliContext, insecure: string | undefined) {
    this.#ctx = ctx;
    this.#signal = new AbortController().signal;
    const { env } = ctx;
    const http = env['HTTP_PROXY'] ?? env['http_proxy'];
    const https = env['HTTPS_PROXY'] ?? env['https_proxy'];
    const none = env['NO_PROXY'] ?? env['no_proxy'];
    this.#client = createRegistryClient({
      userAgent: `Berth-Client/${clientVersion}`,
      insecureRegistries: insecure === undefined ? [] : [insecure],
      mirrors: {},
      certificateDirectories: ['/etc/berth/certs.d', '/etc/docker/certs.d'],
      proxies: { ...(http ? { http } : {}), ...(https ? { https } : {}), ...(none ? { none } : {}) },
    });
  }

  async repository(name: ImageReference, actions: 'pull' | 'push'): Promise<RemoteRepository> {
    const stored = await readCredentials(this.#ctx.config, registryKey(name.domain));
    const credentials = {
      username: stored?.username,
      password: stored?.password,
      identityToken: stored?.identitytoken,
    };
    return this.#client.repository({ domain: name.domain, path: name.path }, { credentials, actions });
  }

  get signal(): AbortSignal {
    return this.#signal;
  }

  /** @throws CliError when there is none. */
  async get(name: ImageReference): Promise<RemoteManifest> {
    const repository = await this.repository(name, 'pull');
    try {
      return await repository.getManifest(name.digest ?? name.tag ?? '', { signal: this.#signal });
    } catch (error) {
      if (error instanceof EngineError && (error.kind === 'notFound' || error.kind === 'unauthorized')) {
        throw new CliError(`no such manifest: ${formatReference(name)}`, 1, { cause: error });
      }
      throw error;
    }
  }

  /** The manifest of one image, with the platform that its configuration tells. */
  async image(name: ImageReference, manifest?: RemoteManifest): Promise<ListedManifest> {
    const found = manifest ?? (await this.get(name));
    if (INDEX_TYPES.includes(found.mediaType)) throw new CliError(`${formatReference(name)} is a manifest list`);
    if (!MANIFEST_TYPES.includes(found.mediaType)) throw new CliError(`${formatReference(name)} is not a manifest`);
    const parsed = JSON.parse(found.bytes.toString('utf8')) as oci.Manifest;
    const descriptor: oci.Descriptor = {
      mediaType: found.mediaType,
      digest: found.digest,
      size: found.bytes.length,
      platform: await this.#platform(name, parsed),
    };
    const key = found.mediaType === MEDIA_TYPE.dockerManifest ? 'SchemaV2Manifest' : 'OCIManifest';
    return {
      Ref: formatReference(name),
      Descriptor: descriptor,
      Raw: found.bytes.toString('base64'),
      [key]: parsed,
    };
  }

  /** The images of an index, each with the platform that the index tells. */
  async imagesOf(name: ImageReference, index: RemoteManifest): Promise<ListedManifest[]> {
    const parsed = JSON.parse(index.bytes.toString('utf8')) as oci.Index;
    const images: ListedManifest[] = [];
    for (const { digest, platform } of parsed.manifests) {
      const image = await this.image({ ...name, digest });
      images.push({ ...image, Descriptor: { ...image.Descriptor, ...(platform ? { platform } : {}) } });
    }
    return images;
  }

  [Symbol.dispose](): void {
    this.#client[Symbol.dispose]();
  }

  async #platform(name: ImageReference, manifest: oci.Manifest): Promise<oci.Platform> {
    const { digest, size } = manifest.config;
    if (size > MAX_CONFIG_BYTES) throw new CliError(`the configuration of ${formatReference(name)} is too large`);
    const repository = await this.repository(name, 'pull');
    const chunks: Buffer[] = [];
    for await (const chunk of repository.readBlob({ digest, sizeBytes: size }, { signal: this.#signal })) {
      chunks.push(chunk);
    }
    const config = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Partial<oci.ImageConfig> & oci.Platform;
    return {
      architecture: config.architecture ?? '',
      os: config.os ?? '',
      ...(config['os.version'] === undefined ? {} : { 'os.version': config['os.version'] }),
      ...(config['os.features'] === undefined ? {} : { 'os.features': config['os.features'] }),
      ...(config.variant === undefined ? {} : { variant: config.variant }),
    };
  }
}
