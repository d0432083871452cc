import { matchesGlob } from 'node:path/posix';
import { EngineError } from '#errors';
import { parseRfc3339Nano } from '#lib';
import { familiarName, formatReference, parseReference, repositoryName } from '#spec';
import { matchesLabel } from '../containers/list-filter.ts';
import { parseUntil } from '../prune-until.ts';
import type { ImageView } from './wire.ts';

type Filters = ReadonlyMap<string, readonly string[]>;

const known = new Set(['dangling', 'label', 'label!', 'before', 'since', 'reference', 'until']);
const yes = new Set(['1', 'true']);
const no = new Set(['0', 'false']);

function invalid(key: string, value: string): EngineError {
  return new EngineError('invalidArgument', 'INVALID_FILTER', `invalid filter '${key}=${value}'`);
}

/** When an image was made, nanoseconds since the epoch; 0 if it does not tell. */
export function createdNano(view: Pick<ImageView, 'config'>): bigint {
  return view.config.created === undefined ? 0n : (parseRfc3339Nano(view.config.created) ?? 0n);
}

/**
 * Turns Docker's filters of `GET /images/json` into a predicate over images.
 *
 * `reference` also chooses which of an image's names are shown: use {@link matchingNames} for that.
 *
 * @throws invalidArgument for an unknown key or a bad value; what `find` throws when `before` or `since` name no image.
 */
export async function compileImageFilter(
  filters: Filters,
  context: { find(ref: string): Promise<ImageView> },
): Promise<(view: ImageView) => boolean> {
  const tests: ((view: ImageView) => boolean)[] = [];
  for (const [key, values] of filters) {
    if (!known.has(key)) throw new EngineError('invalidArgument', 'INVALID_FILTER', `invalid filter '${key}'`);
    if (values.length > 0) tests.push(await compileKey(key, values, context));
  }
  return (view) => tests.every((test) => test(view));
}

async function compileKey(
  key: string,
  values: readonly string[],
  context: { find(ref: string): Promise<ImageView> },
): Promise<(view: ImageView) => boolean> {
  switch (key) {
    case 'dangling': {
      // An image with nothing but digests is found as dangling, and yet left where those are not wanted: Docker's rule.
      return parseDangling(values)
        ? (view) => view.repoTags.length === 0
        : (view) => view.repoTags.length > 0 || view.repoDigests.length > 0;
    }
    case 'label':
      return (view) => values.every((value) => matchesLabel(view.config.config?.Labels ?? {}, value));
    case 'label!':
      return (view) => !values.every((value) => matchesLabel(view.config.config?.Labels ?? {}, value));
    case 'before': {
      const limits = await Promise.all(values.map(async (value) => createdNano(await context.find(value))));
      return (view) => limits.every((limit) => createdNano(view) < limit);
    }
    case 'since': {
      const limits = await Promise.all(values.map(async (value) => createdNano(await context.find(value))));
      return (view) => limits.every((limit) => createdNano(view) > limit);
    }
    case 'until': {
      const limits = values.map(parseUntil);
      return (view) => limits.every((limit) => createdNano(view) < limit);
    }
    default:
      return (view) => matchingNames([...view.repoTags, ...view.repoDigests], values).length > 0;
  }
}

/** @throws invalidArgument when it is neither true nor false. */
export function parseDangling(values: readonly string[]): boolean {
  const [value = ''] = values;
  if (yes.has(value)) return true;
  if (no.has(value)) return false;
  throw invalid('dangling', value);
}

/**
 * The names that match any of the `reference` patterns, in their short or their full form: `*` and `?` stay within a path
 * component; a pattern without a tag matches every tag.
 */
export function matchingNames(names: readonly string[], patterns: readonly string[]): string[] {
  return names.filter((name) => patterns.some((pattern) => matchesReference(name, pattern)));
}

function matchesReference(name: string, pattern: string): boolean {
  const reference = parseReference(name);
  const forms = [name, familiarName(reference), formatReference(reference), repositoryName(reference)];
  return forms.some((form) => matchesGlob(form, pattern));
}
