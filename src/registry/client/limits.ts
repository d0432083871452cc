/** Every bound of the client in one place. Tests pass smaller ones. */
export interface RegistryLimits {
  /** Until a connection stands, TLS included. */
  readonly connectMs: number;
  /** From the end of a request to the headers of its answer. */
  readonly headersMs: number;
  /** The same after an upload, which a registry may still have to hash or move. */
  readonly uploadHeadersMs: number;
  /** Between two pieces of a body, in either direction. */
  readonly idleMs: number;
  /** Whole bodies other than blobs. */
  readonly bodyMs: number;
  /** A blob that comes slower than this, measured over `idleMs` of waiting, counts as stuck. */
  readonly minimumBytesPerSecond: number;
  /** How often something is tried before its failure is the user's. */
  readonly attempts: number;
  /** Tries without success are forgotten after this much progress of one blob. */
  readonly progressBytes: number;
  readonly firstDelayMs: number;
  readonly longestDelayMs: number;
  /** A `Retry-After` beyond this is told to the user instead of waited for. */
  readonly longestRetryAfterMs: number;
  readonly redirects: number;
  readonly manifestBytes: number;
  readonly tokenBytes: number;
  readonly errorBytes: number;
  readonly tagListBytes: number;
  readonly tagPages: number;
  readonly searchBytes: number;
  /** Blobs up to this size go up in one request. */
  readonly monolithicBytes: number;
  /** First size of the pieces where a registry refuses bigger ones. */
  readonly chunkBytes: number;
  /** A registry that refuses even these has nothing to do with sizes. */
  readonly smallestChunkBytes: number;
  /** How long a mirror that failed is passed over. */
  readonly mirrorPauseMs: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;

export const DEFAULT_LIMITS: RegistryLimits = {
  connectMs: 15_000,
  headersMs: 60_000,
  uploadHeadersMs: 300_000,
  idleMs: 60_000,
  bodyMs: 60_000,
  minimumBytesPerSecond: 512,
  attempts: 5,
  progressBytes: 8 * MIB,
  firstDelayMs: 500,
  longestDelayMs: 10_000,
  longestRetryAfterMs: 30_000,
  redirects: 10,
  manifestBytes: 4 * MIB,
  tokenBytes: MIB,
  errorBytes: 64 * KIB,
  tagListBytes: 8 * MIB,
  tagPages: 1000,
  searchBytes: 8 * MIB,
  monolithicBytes: 8 * MIB,
  chunkBytes: 32 * MIB,
  smallestChunkBytes: MIB,
  mirrorPauseMs: 60_000,
};
