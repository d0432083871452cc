import { registryError } from '../errors.ts';
import { parseRepositoryName } from '../names.ts';

/** What a URL below `/v2/` names. */
export type Target =
  | { readonly kind: 'base' }
  | { readonly kind: 'catalog' }
  | { readonly kind: 'tags'; readonly repository: string }
  | { readonly kind: 'manifest'; readonly repository: string; readonly reference: string }
  | { readonly kind: 'blob'; readonly repository: string; readonly digest: string }
  | { readonly kind: 'uploads'; readonly repository: string }
  | { readonly kind: 'upload'; readonly repository: string; readonly id: string }
  | { readonly kind: 'referrers'; readonly repository: string; readonly digest: string };

/**
 * Takes the path of a URL apart, from its end, since names of repositories have slashes. Undefined: there is nothing.
 *
 * @throws {@link EngineError} NAME_INVALID; a name that passes holds neither `..` nor anything percent-encoded.
 */
export function parseTarget(path: string): Target | undefined {
  if (path === '/v2/' || path === '/v2') return { kind: 'base' };
  if (!path.startsWith('/v2/')) return undefined;
  const parts = path.slice('/v2/'.length).split('/');
  if (parts.length === 1 && parts[0] === '_catalog') return { kind: 'catalog' };
  const last = decodePart(parts.at(-1) ?? '');
  const [third, second] = [parts.at(-3), parts.at(-2)];
  const name = (count: number): string => parseRepositoryName(parts.slice(0, -count).join('/'));
  if (parts.length > 2 && second === 'tags' && last === 'list') return { kind: 'tags', repository: name(2) };
  if (parts.length > 3 && third === 'blobs' && second === 'uploads') {
    return last === '' ? { kind: 'uploads', repository: name(3) } : { kind: 'upload', repository: name(3), id: last };
  }
  if (parts.length > 2 && second === 'blobs' && last === 'uploads') return { kind: 'uploads', repository: name(2) };
  if (parts.length < 3 || last === '') return undefined;
  switch (second) {
    case 'manifests':
      return { kind: 'manifest', repository: name(2), reference: last };
    case 'blobs':
      return { kind: 'blob', repository: name(2), digest: last };
    case 'referrers':
      return { kind: 'referrers', repository: name(2), digest: last };
    default:
      return undefined;
  }
}

function decodePart(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw registryError('NAME_INVALID', { message: 'invalid URL encoding', cause });
  }
}
