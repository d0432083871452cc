import type { Readable } from 'node:stream';
import type {
  ContainerConfig,
  Digest,
  DeleteResponseItem,
  HistoryEntry,
  ImageInspect,
  ImageSummary,
  ProgressLine,
  PruneImagesResponse,
} from '#spec';
import type { Filters } from '../containers/backend.ts';

export interface ListImagesOptions {
  all: boolean;
  filters: Filters;
  sharedSize: boolean;
  digests: boolean;
  manifests: boolean;
}

export interface ImportOptions {
  /** `-`: from the body; else a URL. */
  source: string;
  body: Readable;
  /** Repository, possibly with a tag; empty for none. */
  repo: string;
  tag: string;
  message: string;
  /** Dockerfile instructions (`CMD ["sh"]`). */
  changes: string[];
  platform: string;
  signal: AbortSignal;
}

/** What the image routes call. References are names with tag or digest, IDs, or unique ID prefixes. */
export interface ImagesBackend {
  list(options: ListImagesOptions): Promise<ImageSummary[]>;
  inspect(ref: string, options: { manifests: boolean; platform: string }): Promise<ImageInspect>;
  history(ref: string, options: { platform: string }): Promise<HistoryEntry[]>;
  tag(ref: string, repo: string, tag: string): Promise<void>;
  remove(
    ref: string,
    options: { force: boolean; noPrune: boolean; platforms: string[] },
  ): Promise<DeleteResponseItem[]>;
  prune(filters: Filters): Promise<PruneImagesResponse>;
  /** Errors before the first line throw; later ones come as a last line with `errorDetail`. */
  load(body: Readable, options: { quiet: boolean; platform: string; signal: AbortSignal }): AsyncIterable<ProgressLine>;
  /** A tar of the images. */
  save(refs: string[], options: { platform: string; signal: AbortSignal }): Promise<Readable>;
  import(options: ImportOptions): AsyncIterable<ProgressLine>;
  /** What images hold on disk: summaries with shared sizes and container counts, and all layers' bytes. */
  diskUsage(): Promise<{ Images: ImageSummary[]; LayersSize: number }>;
}

export interface CommitOptions {
  container: string;
  repo: string;
  tag: string;
  comment: string;
  author: string;
  pause: boolean;
  changes: string[];
  /** What overrides the container's own config; zero values do not. */
  config: ContainerConfig | undefined;
}

/** `POST /commit` spans containers and images. */
export interface CommitBackend {
  commit(options: CommitOptions): Promise<{ Id: Digest }>;
}
