/** One row of the error table: what a registry answers and what it says. */
export interface RegistryErrorCode {
  /** HTTP status that goes with the code unless a clause of the specification names another. */
  readonly status: number;
  /** The message when there is nothing better to say. Docker's clients show it. */
  readonly description: string;
}

export type RegistryErrorName =
  | 'BLOB_UNKNOWN'
  | 'BLOB_UPLOAD_INVALID'
  | 'BLOB_UPLOAD_UNKNOWN'
  | 'DIGEST_INVALID'
  | 'MANIFEST_BLOB_UNKNOWN'
  | 'MANIFEST_INVALID'
  | 'MANIFEST_UNKNOWN'
  | 'NAME_INVALID'
  | 'NAME_UNKNOWN'
  | 'SIZE_INVALID'
  | 'UNAUTHORIZED'
  | 'DENIED'
  | 'UNSUPPORTED'
  | 'TOOMANYREQUESTS'
  | 'TAG_INVALID'
  | 'MANIFEST_UNVERIFIED'
  | 'PAGINATION_NUMBER_INVALID'
  | 'RANGE_INVALID'
  | 'UNAVAILABLE'
  | 'UNKNOWN';

/**
 * Error codes of registries: the table of the OCI distribution-spec ("Error Codes") and, below, what Docker's registry adds.
 * The descriptions are those that clients of Docker know.
 */
export const REGISTRY_ERRORS: Readonly<Record<RegistryErrorName, RegistryErrorCode>> = {
  BLOB_UNKNOWN: { status: 404, description: 'blob unknown to registry' },
  BLOB_UPLOAD_INVALID: { status: 400, description: 'blob upload invalid' },
  BLOB_UPLOAD_UNKNOWN: { status: 404, description: 'blob upload unknown to registry' },
  DIGEST_INVALID: { status: 400, description: 'provided digest did not match uploaded content' },
  MANIFEST_BLOB_UNKNOWN: { status: 404, description: 'manifest references a manifest or blob unknown to registry' },
  MANIFEST_INVALID: { status: 400, description: 'manifest invalid' },
  MANIFEST_UNKNOWN: { status: 404, description: 'manifest unknown' },
  NAME_INVALID: { status: 400, description: 'invalid repository name' },
  NAME_UNKNOWN: { status: 404, description: 'repository name not known to registry' },
  SIZE_INVALID: { status: 400, description: 'provided length did not match content length' },
  UNAUTHORIZED: { status: 401, description: 'authentication required' },
  DENIED: { status: 403, description: 'requested access to the resource is denied' },
  UNSUPPORTED: { status: 405, description: 'The operation is unsupported.' },
  TOOMANYREQUESTS: { status: 429, description: 'too many requests' },

  TAG_INVALID: { status: 400, description: 'manifest tag did not match URI' },
  MANIFEST_UNVERIFIED: { status: 400, description: 'manifest failed signature verification' },
  PAGINATION_NUMBER_INVALID: { status: 400, description: 'invalid number of results requested' },
  RANGE_INVALID: { status: 416, description: 'invalid content range' },
  UNAVAILABLE: { status: 503, description: 'service unavailable' },
  UNKNOWN: { status: 500, description: 'unknown error' },
};

/** One entry of the `errors` of an answer. */
export interface RegistryErrorEntry {
  readonly code: string;
  readonly message: string;
  readonly detail?: unknown;
}

/** An entry with the table's description where no message is given. */
export function registryErrorEntry(code: RegistryErrorName, message?: string, detail?: unknown): RegistryErrorEntry {
  const entry = { code, message: message ?? REGISTRY_ERRORS[code].description };
  return detail === undefined ? entry : { ...entry, detail };
}

/** The body of an error answer. */
export function encodeRegistryErrors(entries: readonly RegistryErrorEntry[]): string {
  return `${JSON.stringify({ errors: entries })}\n`;
}

/**
 * Reads the body of an error answer. An entry without code is `UNKNOWN`, one without message has the table's; a body
 * without `errors` gives an empty list.
 */
export function decodeRegistryErrors(body: string): RegistryErrorEntry[] {
  const value = parseJson(body);
  if (!isRecord(value)) return [];
  if (Array.isArray(value['errors'])) return value['errors'].flatMap((entry) => decodeEntry(entry));
  return [];
}

/** `MANIFEST_UNKNOWN`, `manifest unknown` → `manifest unknown: manifest unknown`, the way Docker writes an entry. */
export function describeRegistryError(entry: RegistryErrorEntry): string {
  const code = entry.code.toLowerCase().replaceAll('_', ' ');
  return `${code}: ${entry.message}`;
}

/** All entries as Docker writes them: one stands alone, several come as a list. */
export function describeRegistryErrors(entries: readonly RegistryErrorEntry[]): string {
  const texts = entries.map(describeRegistryError);
  return texts.length === 1 ? (texts[0] ?? '') : `errors:\n${texts.map((text) => `${text}\n`).join('')}`;
}

function decodeEntry(value: unknown): RegistryErrorEntry[] {
  if (!isRecord(value)) return [];
  const code = typeof value['code'] === 'string' && value['code'] !== '' ? value['code'] : 'UNKNOWN';
  const said = typeof value['message'] === 'string' ? value['message'] : '';
  const message = said === '' ? descriptionOf(code) : said;
  return [value['detail'] === undefined ? { code, message } : { code, message, detail: value['detail'] }];
}

function descriptionOf(code: string): string {
  return Object.hasOwn(REGISTRY_ERRORS, code)
    ? REGISTRY_ERRORS[code as RegistryErrorName].description
    : REGISTRY_ERRORS.UNKNOWN.description;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
