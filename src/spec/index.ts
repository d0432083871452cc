export {
  isDigest,
  parseChainId,
  parseContainerId,
  parseDigest,
  parseExecId,
  parseNetworkId,
  type ChainId,
  type ContainerId,
  type Digest,
  type ExecId,
  type NetworkId,
} from './ids.ts';
export { runtimeMessage } from './oci/runtime-message.ts';
export { emptyContainerConfig, emptyEndpointSettings, emptyHostConfig } from './docker/empty.ts';
export type * from './docker/index.ts';
export type * as oci from './oci/index.ts';
export {
  encodeStdcopyFrame,
  encodeStdcopyHeader,
  StdcopyDecoder,
  stdcopyHeaderBytes,
  type StdcopyPiece,
  type StdcopyStream,
} from './stdcopy-frames.ts';
export {
  DEFAULT_DOMAIN,
  DEFAULT_TAG,
  familiarName,
  familiarReference,
  formatReference,
  isTag,
  parseAnyReference,
  parseReference,
  repositoryName,
  withDefaultTag,
  type AnyReference,
  type ImageReference,
} from './references.ts';
export { formatPlatform, hostPlatform, matchesPlatform, normalizePlatform, parsePlatform } from './platforms.ts';
export { hasWildcards, parseIgnoreFile, PathPatterns } from './path-patterns.ts';
export {
  BUILD_EVENT_ID,
  BUILD_EXTRAS_HEADER,
  BUILD_PARTS_TYPE,
  decodeBuildParts,
  encodeBuildParts,
  type BuildEventLine,
  type BuildExtras,
  type BuildPart,
  type IncomingBuildPart,
  type OutgoingBuildPart,
} from './build-parts.ts';
