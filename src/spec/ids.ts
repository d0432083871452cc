import { EngineError } from '#errors';

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** 64 lower-case hex digits. */
export type ContainerId = Branded<'ContainerId'>;
/** 64 lower-case hex digits. */
export type ExecId = Branded<'ExecId'>;
/** 64 lower-case hex digits. */
export type NetworkId = Branded<'NetworkId'>;
/** `sha256:` and 64 lower-case hex digits (OCI image-spec, "Digests"). */
export type Digest = Branded<'Digest'>;
/** Digest of a stack of layers (OCI image-spec, "Layer ChainID"). */
export type ChainId = Branded<'ChainId'>;

const hex64 = /^[0-9a-f]{64}$/;

function isHex64(text: string): boolean {
  return hex64.test(text);
}

/** @throws {@link EngineError} invalidArgument when `text` is not 64 lower-case hex digits. */
export function parseContainerId(text: string): ContainerId {
  if (!isHex64(text))
    throw new EngineError('invalidArgument', 'INVALID_CONTAINER_ID', `invalid container ID "${text}"`);
  return text as ContainerId;
}

/** @throws {@link EngineError} invalidArgument when `text` is not 64 lower-case hex digits. */
export function parseExecId(text: string): ExecId {
  if (!isHex64(text)) throw new EngineError('invalidArgument', 'INVALID_EXEC_ID', `invalid exec ID "${text}"`);
  return text as ExecId;
}

/** @throws {@link EngineError} invalidArgument when `text` is not 64 lower-case hex digits. */
export function parseNetworkId(text: string): NetworkId {
  if (!isHex64(text)) throw new EngineError('invalidArgument', 'INVALID_NETWORK_ID', `invalid network ID "${text}"`);
  return text as NetworkId;
}

/** Whether `text` is a well-formed sha256 digest. */
export function isDigest(text: string): text is Digest {
  return text.startsWith('sha256:') && isHex64(text.slice(7));
}

/** @throws {@link EngineError} invalidArgument when `text` is no sha256 digest. */
export function parseDigest(text: string): Digest {
  if (!isDigest(text)) throw new EngineError('invalidArgument', 'INVALID_DIGEST', `invalid digest "${text}"`);
  return text;
}

/** @throws {@link EngineError} invalidArgument when `text` is no sha256 digest. */
export function parseChainId(text: string): ChainId {
  return parseDigest(text) as string as ChainId;
}
