import { EngineError } from '#errors';

/** What of a repository is wanted. */
export interface GitReference {
  readonly url: string;
  /** Branch, tag, commit or full reference; empty for the default branch. */
  readonly ref: string;
  readonly kind: 'any' | 'branch' | 'tag' | 'commit';
  /** Folder in the repository; empty for all. */
  readonly subdirectory: string;
  /** The commit that must come out, or the start of its name; empty for any. */
  readonly checksum: string;
  /** Undefined: what the instruction says. */
  readonly keepGitDir: boolean | undefined;
  readonly submodules: boolean;
  /** Files get the time of the commit instead of now. */
  readonly commitTimes: boolean;
}

const scpForm = /^(?:[A-Za-z0-9_.-]+@)[A-Za-z0-9.-]+:/;
const urlForm = /^(?:https?|git|ssh):\/\//i;

/** Whether a context's address is a repository's. */
export function isRepository(address: string): boolean {
  if (/^(?:git|ssh):\/\//.test(address) || scpForm.test(address) || address.startsWith('github.com/')) return true;
  return /^https?:\/\/[^#?]+\.git(?:[#?]|$)/i.test(address);
}

/**
 * Reads `url#ref:folder` and `url?branch=…&subdir=…`.
 *
 * @throws invalidArgument for what git would take for an option, unknown parameters, and contradictions.
 * @see the Dockerfile reference, "ADD <Git URL>"
 */
export function parseGitUrl(text: string): GitReference {
  const hash = text.indexOf('#');
  const [address, fragment] = hash < 0 ? [text, ''] : [text.slice(0, hash), text.slice(hash + 1)];
  const question = scpForm.test(address) ? -1 : address.indexOf('?');
  const query = new URLSearchParams(question < 0 ? '' : address.slice(question + 1));
  const base = question < 0 ? address : address.slice(0, question);
  const url = base.startsWith('github.com/') ? `https://${base}` : base;
  if (!urlForm.test(url) && !scpForm.test(url)) throw invalid(`invalid git url ${JSON.stringify(text)}`);
  const colon = fragment.indexOf(':');
  const [ref, subdirectory] = colon < 0 ? [fragment, ''] : [fragment.slice(0, colon), fragment.slice(colon + 1)];
  return checked({ ...fromQuery(query, ref, subdirectory), url });
}

function fromQuery(query: URLSearchParams, fragmentRef: string, fragmentFolder: string): Omit<GitReference, 'url'> {
  const refs: { ref: string; kind: GitReference['kind'] }[] =
    fragmentRef === '' ? [] : [{ ref: fragmentRef, kind: 'any' }];
  const found = { checksum: '', subdirectory: fragmentFolder, submodules: true, commitTimes: false };
  let keepGitDir: boolean | undefined;
  for (const [name, value] of query) {
    switch (name) {
      case 'ref':
        refs.push({ ref: value, kind: 'any' });
        break;
      case 'branch':
      case 'tag':
        refs.push({ ref: value, kind: name });
        break;
      case 'commit':
      case 'checksum':
        found.checksum = value;
        break;
      case 'subdir':
        if (fragmentFolder !== '') throw invalid('subdir conflicts with the folder after the colon');
        found.subdirectory = value;
        break;
      case 'keep-git-dir':
        keepGitDir = isTrue(value);
        break;
      case 'submodules':
        found.submodules = isTrue(value);
        break;
      case 'mtime':
        if (value !== 'commit' && value !== 'checkout') throw invalid(`invalid mtime value ${JSON.stringify(value)}`);
        found.commitTimes = value === 'commit';
        break;
      case 'fetch-by-commit':
        break;
      default:
        throw invalid(`unexpected query ${JSON.stringify(name)}`);
    }
  }
  if (refs.length > 1)
    throw invalid(`conflicting git references ${refs.map(({ ref }) => JSON.stringify(ref)).join(', ')}`);
  const [chosen = wantedCommit(found.checksum)] = refs;
  return { ...found, ...chosen, keepGitDir };
}

/** Without a reference, the commit that is expected is the one to fetch. */
function wantedCommit(checksum: string): { ref: string; kind: GitReference['kind'] } {
  return /^[0-9a-f]{40,64}$/.test(checksum) ? { ref: checksum, kind: 'commit' } : { ref: '', kind: 'any' };
}

function isTrue(value: string): boolean {
  if (value === '' || value === '1' || value === 'true') return true;
  if (value === '0' || value === 'false') return false;
  throw invalid(`invalid boolean value ${JSON.stringify(value)}`);
}

function checked(reference: GitReference): GitReference {
  for (const [what, value] of [
    ['url', reference.url],
    ['reference', reference.ref],
  ]) {
    if (value?.startsWith('-') === true) throw invalid(`invalid git ${what ?? ''} ${JSON.stringify(value)}`);
  }
  if (/[\0\s~^:?*[\\]|\.\./.test(reference.ref))
    throw invalid(`invalid git reference ${JSON.stringify(reference.ref)}`);
  if (!/^[0-9a-f]*$/.test(reference.checksum)) {
    throw invalid(`invalid checksum ${JSON.stringify(reference.checksum)}, expected hex commit hash`);
  }
  return reference;
}

function invalid(message: string): EngineError {
  return new EngineError('invalidArgument', 'INVALID_GIT_URL', message);
}
