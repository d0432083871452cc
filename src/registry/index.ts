export { INDEX_TYPES, MANIFEST_TYPES, MEDIA_TYPE } from './protocol/media-types.ts';
export { formatChallenge, parseChallenges, type Challenge } from './protocol/challenges.ts';
export {
  decodeRegistryErrors,
  describeRegistryError,
  describeRegistryErrors,
  encodeRegistryErrors,
  REGISTRY_ERRORS,
  registryErrorEntry,
  type RegistryErrorCode,
  type RegistryErrorEntry,
  type RegistryErrorName,
} from './protocol/error-codes.ts';
export { formatNextLink, parseNextLink } from './protocol/links.ts';
export { parseContentRange, parseRange, parseUploadRange, type ByteRange } from './protocol/ranges.ts';
export type {
  BlobPushed,
  BlobWanted,
  RegistryClient,
  RegistryClientOptions,
  RegistryCredentials,
  RemoteManifest,
  RemoteRepository,
  SearchResult,
} from './client/contract.ts';
export { createRegistryClient } from './client/client.ts';
export { DEFAULT_LIMITS as REGISTRY_LIMITS, type RegistryLimits } from './client/limits.ts';
