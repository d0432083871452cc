import type { RegistryClient, RegistryCredentials } from '#registry';
import { parseReference, type AuthAnswer, type ProgressLine, type SearchRow } from '#spec';
import type { Database, Store } from '#store';
import { Catalog } from '../images/catalog.ts';
import type { EmitImageEvent } from '../images/events.ts';
import { reportProgress } from '../images/progress.ts';
import { Downloads } from '../images/pull/downloads.ts';
import { withoutChallenge } from '../images/pull/errors.ts';
import { pull, type PullRequest } from '../images/pull/pull.ts';
import { BlobSources } from '../images/push/blob-sources.ts';
import { push, type PushRequest } from '../images/push/push.ts';
import { Uploads } from '../images/push/uploads.ts';
import { Registrar } from '../images/registrar.ts';
import { inspectDistribution, type DistributionInspect } from './distribution.ts';
import { login, type LoginRequest } from './login.ts';
import { search, type SearchRequest } from './search.ts';

export interface RegistriesOptions {
  store: Store;
  /** Opened with `transferMigrations`. */
  db: Database;
  client: RegistryClient;
  emit: EmitImageEvent;
  /** Layers that come, or go, at the same time, over all pulls or pushes. */
  maxConcurrentDownloads: number;
  maxConcurrentUploads: number;
}

/** Images that come from registries and go there, and what else registries are asked. */
export class Registries {
  readonly #options: RegistriesOptions;
  readonly #downloads: Downloads;
  readonly #uploads: Uploads;
  readonly #sources: BlobSources;

  constructor(options: RegistriesOptions) {
    this.#options = options;
    this.#downloads = new Downloads(options.store, options.maxConcurrentDownloads);
    this.#uploads = new Uploads(options.maxConcurrentUploads);
    this.#sources = new BlobSources(options.db);
  }

  /** Errors before the first line throw; later ones come as a last line with `errorDetail`. */
  pull(request: PullRequest & { signal: AbortSignal }): AsyncGenerator<ProgressLine, void, undefined> {
    return reportProgress((report, signal) => this.fetch({ ...request, signal }, report), request.signal);
  }

  /** Pulls; reports as it goes, throws when it fails. */
  async fetch(request: PullRequest & { signal: AbortSignal }, report: (line: ProgressLine) => void): Promise<void> {
    const { store, client, emit } = this.#options;
    const parts = {
      store,
      client,
      emit,
      catalog: new Catalog(store),
      registrar: new Registrar(store),
      downloads: this.#downloads,
      sources: this.#sources,
    };
    await pull(parts, request, request.signal, report);
  }

  /** Errors before the first line throw; later ones come as a last line with `errorDetail`. */
  push(request: PushRequest & { signal: AbortSignal }): AsyncGenerator<ProgressLine, void, undefined> {
    const { store, client, emit } = this.#options;
    const parts = { store, client, emit, catalog: new Catalog(store), uploads: this.#uploads, sources: this.#sources };
    return reportProgress((report, signal) => push(parts, request, signal, report), request.signal);
  }

  /** @throws unauthorized with the registry's words. */
  async login(request: LoginRequest & { signal: AbortSignal }): Promise<AuthAnswer> {
    return await login(this.#options.client, request);
  }

  async search(request: SearchRequest & { signal: AbortSignal }): Promise<SearchRow[]> {
    return await search(this.#options.client, request);
  }

  /** What a registry has under a name: descriptor and platforms. */
  async inspect(
    name: string,
    options: { credentials: RegistryCredentials; signal: AbortSignal },
  ): Promise<DistributionInspect> {
    const reference = parseReference(name);
    const repository = this.#options.client.repository(reference, { ...options, actions: 'pull' });
    try {
      return await inspectDistribution(repository, reference, options.signal);
    } catch (error) {
      throw withoutChallenge(error);
    }
  }
}
