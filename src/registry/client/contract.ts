import type { Digest } from '#spec';

/** Who asks a registry; as `X-Registry-Auth` and credential helpers give it. All empty: anonymous. */
export interface RegistryCredentials {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** A refresh token, sent to the token service instead of a password. */
  readonly identityToken?: string | undefined;
  /** A bearer token, sent as it is. */
  readonly registryToken?: string | undefined;
}

/** How registries are reached. Hosts are `name` or `name:port`. */
export interface RegistryClientOptions {
  /** Sent as `User-Agent`. */
  readonly userAgent: string;
  /** Hosts and CIDR blocks that may be reached by plain http or with a certificate that nobody signed. Loopback always is among them. */
  readonly insecureRegistries: readonly string[];
  /**
   * Mirrors by registry host, tried in order before the registry itself: `{"docker.io": ["https://mirror.example.com/prefix"]}`. They get no
   * credentials but those in their own URL; what has a digest is checked, for what a tag means they are believed.
   */
  readonly mirrors: Readonly<Record<string, readonly string[]>>;
  /** Folders with `<host>/ca.crt`, `*.crt`, `*.cert`, `*.key`; the first that has the host counts. */
  readonly certificateDirectories: readonly string[];
  /** Proxies: `http`, `https` are URLs, `none` what `NO_PROXY` says. */
  readonly proxies: { readonly http?: string; readonly https?: string; readonly none?: string };
  /** How often a blob is tried before its failure is the user's (`max-download-attempts`); 5 unless told. */
  readonly downloadAttempts?: number;
}

/** A manifest or index as it came: its bytes are what its digest is of. */
export interface RemoteManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Buffer;
}

export interface BlobWanted {
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/** What `pushBlob` did. */
export type BlobPushed = 'existed' | 'mounted' | 'uploaded';

/**
 * One repository of one registry, for one user. Connections, tokens and challenges are shared below it. Every call retries what is
 * worth it, with back-off, and throws {@link EngineError}s with Docker's texts: notFound (`manifest unknown`), unauthorized, forbidden (`denied`),
 * unavailable (cannot be reached, rate limit), dataLoss (wrong digest or size), cancelled. Where the registry named an error of
 * the distribution-spec, `code` is that name (`MANIFEST_UNKNOWN`, `DENIED`) and the message `manifest unknown: ` and the registry's words;
 * the words around it that a command adds (`manifest for X not found: …`) are the caller's.
 */
export interface RemoteRepository {
  readonly domain: string;
  readonly path: string;

  /** @param reference - tag or digest. What is asked by digest is checked against it. Mirrors are asked first. */
  getManifest(reference: string, options: { signal: AbortSignal }): Promise<RemoteManifest>;

  /** Digest, type and size without the body; undefined when there is none. Never asks mirrors. */
  headManifest(
    reference: string,
    options: { signal: AbortSignal },
  ): Promise<{ digest: Digest; mediaType: string; sizeBytes: number } | undefined>;

  /**
   * The bytes of a blob, in order and exactly `sizeBytes` of them; a break is healed by a range request. The caller hashes
   * (it does so anyway) and refuses a wrong digest. Restarting from zero never happens silently: when a server has no ranges, what came
   * already is skipped. Breaking off the iteration ends the connection.
   */
  readBlob(
    blob: BlobWanted,
    options: { signal: AbortSignal; onRetry?: (attempt: number, delayMs: number) => void },
  ): AsyncIterable<Buffer>;

  hasBlob(digest: Digest, options: { signal: AbortSignal }): Promise<boolean>;

  /**
   * Puts a blob there: asks whether it is there, mounts it from a repository of the same registry, uploads it; after a break it
   * goes on where the registry says, or starts over.
   */
  pushBlob(
    blob: BlobWanted,
    options: {
      /** Reads the content from an offset; may be asked several times. */
      open: (offsetBytes: number) => AsyncIterable<Uint8Array>;
      /** Paths of repositories on the same registry that probably have it, likeliest first. */
      mountFrom: readonly string[];
      /** How much of the blob is on its way; after a break it may go back. */
      onProgress?: (sentBytes: number) => void;
      /** Told before 'mounted' is answered. */
      onMounted?: (fromPath: string) => void;
      onRetry?: (attempt: number, delayMs: number) => void;
      signal: AbortSignal;
    },
  ): Promise<BlobPushed>;

  /** @param reference - tag or digest. Answers the digest that the registry acknowledged, which is that of the bytes. */
  putManifest(
    reference: string,
    manifest: { mediaType: string; bytes: Uint8Array },
    options: { signal: AbortSignal },
  ): Promise<Digest>;

  /** All tags, page after page. */
  listTags(options: { signal: AbortSignal }): Promise<string[]>;

  deleteManifest(reference: string, options: { signal: AbortSignal }): Promise<void>;
}

export interface SearchResult {
  name: string;
  description: string;
  star_count: number;
  is_official: boolean;
  is_automated: boolean;
}

/** All registries. Holds connections; dispose closes them. */
export interface RegistryClient extends Disposable {
  /** @param actions - what will be done there: decides the scope of tokens. */
  repository(
    name: { domain: string; path: string },
    options: { credentials: RegistryCredentials; actions: 'pull' | 'push' },
  ): RemoteRepository;

  /**
   * Verifies credentials (`docker login`).
   *
   * @returns an identity token if the registry gives one; empty otherwise.
   * @throws unauthorized with the registry's words.
   */
  login(domain: string, credentials: RegistryCredentials, options: { signal: AbortSignal }): Promise<string>;

  /** Docker Hub's search (`/v1/search`). @throws notFound or unavailable where a registry has none, saying so. */
  search(
    domain: string,
    query: { term: string; limit: number },
    options: { credentials: RegistryCredentials; signal: AbortSignal },
  ): Promise<SearchResult[]>;
}
