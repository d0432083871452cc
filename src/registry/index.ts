export { INDEX_TYPES, MANIFEST_TYPES, MEDIA_TYPE } from './protocol/media-types.ts';
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
