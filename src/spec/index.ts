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
