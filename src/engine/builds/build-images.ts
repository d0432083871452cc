import { isKind } from '#errors';
import {
  DEFAULT_DOMAIN,
  formatPlatform,
  formatReference,
  hostPlatform,
  parseReference,
  withDefaultTag,
  type ChainId,
  type Digest,
  type oci,
  type ProgressLine,
  type RegistryAuth,
} from '#spec';
import type { StoredImage } from '#store';
import { platformMismatch } from '../images/errors.ts';
import type { Images } from '../images/index.ts';
import type { Registries } from '../registries/registries.ts';

export interface ResolveOptions {
  /** Look for a newer one in its registry. */
  readonly pull: boolean;
  /** By the name of their registry, as `docker login` keeps them. */
  readonly credentials: ReadonlyMap<string, RegistryAuth>;
  readonly report: (line: ProgressLine) => void;
  readonly signal: AbortSignal;
}

/** An image that a build stands on. */
export interface ResolvedImage {
  readonly name: string;
  readonly id: Digest;
  readonly config: oci.ImageConfig;
  readonly chainId: ChainId | undefined;
}

/** Where Docker's clients keep what `docker login` without a name gave. */
const HUB_KEYS = ['https://index.docker.io/v1/', 'index.docker.io', DEFAULT_DOMAIN];

/** The images of this engine, for builds. */
export class BuildImages {
  readonly #images: Images;
  readonly #registries: Registries;

  constructor(images: Images, registries: Registries) {
    this.#images = images;
    this.#registries = registries;
  }

  /**
   * The image that a name or ID means for a platform: the local one, unless a newer one is wanted, else its registry's. A local image for
   * another platform is taken where the registry has nothing better.
   *
   * @throws notFound with Docker's texts.
   */
  async resolve(reference: string, platform: oci.Platform, options: ResolveOptions): Promise<ResolvedImage> {
    const wanted = formatPlatform(platform);
    const local = options.pull ? undefined : await this.#find(reference, wanted);
    return toResolved(reference, local ?? (await this.#fetch(reference, wanted, options)));
  }

  async add(image: {
    config: Uint8Array | undefined;
    base: { readonly id: Digest } | undefined;
    layers: readonly ChainId[];
    references: readonly string[];
    signal: AbortSignal;
  }): Promise<Digest> {
    const { base, ...rest } = image;
    return await this.#images.addBuilt({ ...rest, baseId: base?.id });
  }

  async #find(reference: string, platform: string): Promise<StoredImage | undefined> {
    try {
      return await this.#images.resolve(reference, platform);
    } catch (error) {
      if (isKind(error, 'notFound')) return undefined;
      throw error;
    }
  }

  async #fetch(reference: string, platform: string, options: ResolveOptions): Promise<StoredImage> {
    const { credentials, report, signal } = options;
    const parsed = withDefaultTag(parseReference(reference));
    const other = await this.#find(reference, '');
    try {
      const ref = formatReference(parsed);
      await this.#registries.fetch(
        { ref, tag: '', platform, credentials: credentialsFor(parsed.domain, credentials), signal },
        report,
      );
    } catch (error) {
      if (!other || options.pull || signal.aborted) throw error;
      // What the host runs may stand in where nothing was asked for; an image of one platform must not be called another's.
      if (platform === formatPlatform(hostPlatform())) return other;
      const { os, architecture, variant } = other.config;
      const actual = formatPlatform({ os, architecture, ...(variant === undefined ? {} : { variant }) });
      throw platformMismatch(reference, actual, platform);
    }
    return await this.#images.resolve(reference, platform);
  }
}

function toResolved(name: string, { id, config, chainId }: StoredImage): ResolvedImage {
  return { name, id, config, chainId };
}

function credentialsFor(domain: string, all: ReadonlyMap<string, RegistryAuth>): RegistryAuth {
  const keys = domain === DEFAULT_DOMAIN ? HUB_KEYS : [domain, `https://${domain}`, `http://${domain}`];
  const found = keys.map((key) => all.get(key)).find((each) => each !== undefined);
  return found ?? { username: '', password: '', identityToken: '', registryToken: '' };
}
