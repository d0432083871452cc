import { EngineError } from '#errors';
import { isDigest, type Digest } from './ids.ts';

/**
 * A normalised image reference: `busybox` has become `docker.io/library/busybox`.
 * Without tag and digest it names a repository.
 */
export interface ImageReference {
  /** Registry host, possibly with a port. */
  readonly domain: string;
  /** Repository on that host. */
  readonly path: string;
  readonly tag?: string | undefined;
  readonly digest?: Digest | undefined;
}

/** What a user may write where an image is asked for. An ID prefix looks like a name and is told apart by looking it up. */
export type AnyReference = { kind: 'digest'; digest: Digest } | { kind: 'named'; reference: ImageReference };

export const DEFAULT_DOMAIN = 'docker.io';
export const DEFAULT_TAG = 'latest';
const OFFICIAL_NAMESPACE = 'library/';
/** Longest repository name, domain not counted (distribution's grammar). */
const MAX_PATH_LENGTH = 255;

const domainName = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const domain = `(?:${domainName}(?:\\.${domainName})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`;
const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const tagText = '[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}';
const digestText = '[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}';
const referencePattern = new RegExp(
  `^(${domain})/(${component}(?:/${component})*)(?::(${tagText}))?(?:@(${digestText}))?$`,
);
const tagPattern = new RegExp(`^${tagText}$`);
const hex64 = /^[0-9a-f]{64}$/;

function invalidReference(reason: string): EngineError {
  return new EngineError('invalidArgument', 'INVALID_REFERENCE', reason);
}

const INVALID_FORMAT = 'invalid reference format';

function splitDomain(text: string): [domain: string, remainder: string] {
  const slash = text.indexOf('/');
  const first = slash === -1 ? '' : text.slice(0, slash);
  const isDomain =
    slash !== -1 &&
    (/[.:]/.test(first) || first === 'localhost' || first.toLowerCase() !== first || first.startsWith('['));
  const host = isDomain ? first : DEFAULT_DOMAIN;
  const normalHost = host === 'index.docker.io' ? DEFAULT_DOMAIN : host;
  const remainder = isDomain ? text.slice(slash + 1) : text;
  return normalHost === DEFAULT_DOMAIN && !remainder.includes('/')
    ? [normalHost, OFFICIAL_NAMESPACE + remainder]
    : [normalHost, remainder];
}

function parseReferenceDigest(text: string): Digest {
  if (isDigest(text)) return text;
  const [algorithm = '', hex = ''] = text.split(':');
  if (!['sha256', 'sha384', 'sha512'].includes(algorithm)) throw invalidReference('unsupported digest algorithm');
  throw invalidReference(hex.length === 64 ? 'invalid checksum digest format' : 'invalid checksum digest length');
}

/**
 * Parses and normalises a name such as `busybox`, `registry.example.com/a/b:1`, `a/b@sha256:…`. No tag is added.
 *
 * @throws {@link EngineError} invalidArgument with Docker's texts.
 * @see the reference grammar of the distribution project
 */
export function parseReference(text: string): ImageReference {
  if (hex64.test(text)) {
    throw invalidReference(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  }
  const [host, remainder] = splitDomain(text);
  const repository = remainder.split(/[:@]/, 1)[0] ?? '';
  if (repository.toLowerCase() !== repository) {
    throw invalidReference(`${INVALID_FORMAT}: repository name (${repository}) must be lowercase`);
  }
  const match = referencePattern.exec(`${host}/${remainder}`);
  if (!match) throw invalidReference(INVALID_FORMAT);
  const [, matchedDomain = '', path = '', tag, digest] = match;
  if (path.length > MAX_PATH_LENGTH) {
    throw invalidReference(`repository name must not be more than ${MAX_PATH_LENGTH} characters`);
  }
  return { domain: matchedDomain, path, tag, digest: digest === undefined ? undefined : parseReferenceDigest(digest) };
}

/**
 * Parses whatever may name an image: a full ID (with or without `sha256:`) or a name.
 *
 * @throws {@link EngineError} invalidArgument with Docker's texts.
 */
export function parseAnyReference(text: string): AnyReference {
  if (hex64.test(text)) return { kind: 'digest', digest: `sha256:${text}` as Digest };
  if (isDigest(text)) return { kind: 'digest', digest: text };
  return { kind: 'named', reference: parseReference(text) };
}

/** Whether `text` may stand behind the colon of a reference. */
export function isTag(text: string): boolean {
  return tagPattern.test(text);
}

/** Adds `:latest` where neither tag nor digest is given. */
export function withDefaultTag(reference: ImageReference): ImageReference {
  return reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: DEFAULT_TAG } : reference;
}

/** `docker.io/library/busybox`. */
export function repositoryName(reference: ImageReference): string {
  return `${reference.domain}/${reference.path}`;
}

function suffix(reference: ImageReference): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`;
  return reference.digest === undefined ? tag : `${tag}@${reference.digest}`;
}

/** The whole normalised form; {@link parseReference} reads it back. */
export function formatReference(reference: ImageReference): string {
  return repositoryName(reference) + suffix(reference);
}

/** The repository as users see it: `busybox`, `user/app`, `registry.example.com/a/b`. */
export function familiarName(reference: ImageReference): string {
  if (reference.domain !== DEFAULT_DOMAIN) return repositoryName(reference);
  const short = reference.path.slice(OFFICIAL_NAMESPACE.length);
  return reference.path.startsWith(OFFICIAL_NAMESPACE) && !short.includes('/') ? short : reference.path;
}

/** The reference as users see it: `busybox:latest`. */
export function familiarReference(reference: ImageReference): string {
  return familiarName(reference) + suffix(reference);
}
