import type { AuthAnswer, ProgressLine, RegistryAuth, SearchRow } from '#spec';
import type { Filters } from '../containers/backend.ts';

export interface TransferOptions {
  /** A name as the client wrote it. */
  ref: string;
  /** Tag or digest; empty for what `ref` says, or all tags. */
  tag: string;
  /** Empty where none was asked for. */
  platform: string;
  credentials: RegistryAuth;
  signal: AbortSignal;
}

/** What the routes that lead to registries call. */
export interface RegistriesBackend {
  /** Errors before the first line throw; later ones come as a last line with `errorDetail`. */
  pull(options: TransferOptions): AsyncIterable<ProgressLine>;
  /** The same for the other direction. */
  push(options: TransferOptions): AsyncIterable<ProgressLine>;
  /** @throws unauthorized with the registry's words. */
  login(options: RegistryAuth & { serverAddress: string; signal: AbortSignal }): Promise<AuthAnswer>;
  search(options: {
    term: string;
    limit: number | undefined;
    filters: Filters;
    credentials: RegistryAuth;
    signal: AbortSignal;
  }): Promise<SearchRow[]>;
  /** The answer of `GET /distribution/{name}/json`. */
  inspect(name: string, options: { credentials: RegistryAuth; signal: AbortSignal }): Promise<object>;
}
