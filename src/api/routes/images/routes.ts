import { EngineError } from '#errors';
import { decodePlatform } from '../../decode/platform.ts';
import { decodeCommit } from '../../decode/requests.ts';
import { readJsonBody } from '../../http/body.ts';
import type { Exchange } from '../../http/exchange.ts';
import { answer, type Route, type RouteDoc, unbuilt } from '../../route.ts';
import { inspectForVersion, listForVersion } from '../../versions/images.ts';
import type { Filters } from '../containers/backend.ts';
import type { RegistriesBackend } from '../registries/backend.ts';
import { pull } from '../registries/transfer.ts';
import type { CommitBackend, ImagesBackend } from './backend.ts';
import { importImage, load, save } from './transfer.ts';

/** The path's `{name}`. */
function nameOf(exchange: Exchange): string {
  return exchange.params['name'] ?? '';
}

/** Before 1.25 a list was narrowed by a parameter of its own instead of the filter `reference`. */
function listFilters({ query, version }: Exchange): Filters {
  const filters = new Map(query.filters());
  const old = query.text('filter');
  if (version < 25 && old !== '' && !filters.has('reference')) filters.set('reference', [old]);
  return filters;
}

async function list(backend: ImagesBackend, exchange: Exchange): Promise<void> {
  const { query, version } = exchange;
  const rows = await backend.list({
    all: query.flag('all'),
    filters: listFilters(exchange),
    sharedSize: version >= 42 && query.flag('shared-size'),
    digests: query.flag('digests'),
    manifests: version >= 47 && query.flag('manifests'),
  });
  exchange.json(200, listForVersion(version, rows));
}

async function inspect(backend: ImagesBackend, exchange: Exchange): Promise<void> {
  const { query, version } = exchange;
  const manifests = version >= 48 && query.flag('manifests');
  const platform = version >= 49 ? decodePlatform(query.text('platform')) : '';
  if (manifests && platform !== '') {
    throw new EngineError(
      'invalidArgument',
      'CONFLICTING_OPTIONS',
      'conflicting options: manifests and platform options cannot both be set',
    );
  }
  const image = await backend.inspect(nameOf(exchange), { manifests, platform });
  exchange.json(200, inspectForVersion(version, image));
}

async function history(backend: ImagesBackend, exchange: Exchange): Promise<void> {
  const platform = exchange.version >= 48 ? decodePlatform(exchange.query.text('platform')) : '';
  exchange.json(200, await backend.history(nameOf(exchange), { platform }));
}

async function tag(backend: ImagesBackend, exchange: Exchange): Promise<void> {
  await backend.tag(nameOf(exchange), exchange.query.text('repo'), exchange.query.text('tag'));
  exchange.empty(201);
}

async function remove(backend: ImagesBackend, exchange: Exchange): Promise<void> {
  const { query, version } = exchange;
  const name = nameOf(exchange);
  if (name.trim() === '') {
    throw new EngineError('invalidArgument', 'BLANK_IMAGE_NAME', 'image name cannot be blank');
  }
  const platforms = version >= 50 ? query.texts('platforms').map(decodePlatform) : [];
  const removed = await backend.remove(name, {
    force: query.flag('force'),
    noPrune: query.flag('noprune'),
    platforms,
  });
  exchange.json(200, removed);
}

async function commit(backend: CommitBackend, exchange: Exchange): Promise<void> {
  const { query } = exchange;
  const config = decodeCommit(await readJsonBody(exchange));
  const committed = await backend.commit({
    container: query.text('container'),
    repo: query.text('repo'),
    tag: query.text('tag'),
    comment: query.text('comment'),
    author: query.text('author'),
    pause: query.flag('pause', true),
    changes: query.texts('changes'),
    config,
  });
  exchange.json(201, committed);
}

function doc(summary: string, statuses: readonly number[], rest: Partial<RouteDoc> = {}): RouteDoc {
  return { tag: 'Image', summary, statuses, ...rest };
}

function lookRoutes(backend: ImagesBackend): Route[] {
  return [
    answer(
      'GET',
      '/images/json',
      doc('List images', [200], {
        query: {
          all: 'boolean',
          filters: 'filters',
          filter: 'string',
          'shared-size': 'boolean',
          digests: 'boolean',
          manifests: 'boolean',
        },
        answer: 'ImageSummary[]',
      }),
      (exchange) => list(backend, exchange),
    ),
    answer(
      'GET',
      '/images/{name}/json',
      doc('Inspect an image', [200, 404], {
        query: { manifests: 'boolean', platform: 'string' },
        answer: 'ImageInspect',
      }),
      (exchange) => inspect(backend, exchange),
    ),
    answer(
      'GET',
      '/images/{name}/history',
      doc("List an image's layers", [200, 404], { query: { platform: 'string' }, answer: 'HistoryEntry[]' }),
      (exchange) => history(backend, exchange),
    ),
    answer(
      'POST',
      '/images/{name}/tag',
      doc('Give an image another name', [201, 404, 409], { query: { repo: 'string', tag: 'string' } }),
      (exchange) => tag(backend, exchange),
    ),
    answer(
      'DELETE',
      '/images/{name}',
      doc('Remove an image', [200, 404, 409], {
        query: { force: 'boolean', noprune: 'boolean', platforms: 'strings' },
        answer: 'DeleteResponseItem[]',
      }),
      (exchange) => remove(backend, exchange),
    ),
    answer(
      'POST',
      '/images/prune',
      doc('Remove unused images', [200], { since: 25, query: { filters: 'filters' }, answer: 'PruneImagesResponse' }),
      async (exchange) => exchange.json(200, await backend.prune(exchange.query.filters())),
    ),
  ];
}

function transferRoutes(backend: ImagesBackend): Route[] {
  return [
    answer(
      'POST',
      '/images/load',
      doc('Load images from a tar', [200], {
        query: { quiet: 'boolean', platform: 'string' },
        body: 'stream',
        answer: 'ProgressLine lines',
      }),
      (exchange) => load(backend, exchange),
    ),
    answer(
      'GET',
      '/images/{name}/get',
      doc('Read an image as a tar', [200, 404], { query: { platform: 'string' }, answer: 'tar' }),
      (exchange) => save(backend, exchange, [nameOf(exchange)]),
    ),
    answer(
      'GET',
      '/images/get',
      doc('Read several images as a tar', [200, 404], {
        query: { names: 'strings', platform: 'string' },
        answer: 'tar',
      }),
      (exchange) => save(backend, exchange, exchange.query.texts('names')),
    ),
  ];
}

/** Rows of the image routes. */
export function imageRoutes(backend: ImagesBackend): Route[] {
  return [...lookRoutes(backend), ...transferRoutes(backend)];
}

/** `POST /images/create` imports with `fromSrc`, and pulls with `fromImage`. */
export function createRoutes(images: ImagesBackend, registries: RegistriesBackend | undefined): Route[] {
  return [
    answer(
      'POST',
      '/images/create',
      doc('Pull or import an image', [200, 404], {
        query: {
          fromImage: 'string',
          fromSrc: 'string',
          repo: 'string',
          tag: 'string',
          message: 'string',
          changes: 'strings',
          platform: 'string',
        },
        body: 'stream',
        answer: 'ProgressLine lines',
      }),
      (exchange) =>
        registries === undefined || exchange.query.text('fromImage') === ''
          ? importImage(images, exchange)
          : pull(registries, exchange),
    ),
  ];
}

export function commitRoutes(backend: CommitBackend): Route[] {
  return [
    answer(
      'POST',
      '/commit',
      doc('Make an image of a container', [201, 404], {
        query: {
          container: 'string',
          repo: 'string',
          tag: 'string',
          comment: 'string',
          author: 'string',
          pause: 'boolean',
          changes: 'strings',
        },
        body: 'ContainerConfig',
        answer: 'IdResponse',
      }),
      (exchange) => commit(backend, exchange),
    ),
  ];
}

/** Rows of Docker's image routes that have no backend yet. */
export function unbuiltImageRoutes(): Route[] {
  return [
    unbuilt(
      'GET',
      '/images/{name}/attestations',
      doc("List an image's attestations", [200, 404], {
        query: { platform: 'string', type: 'strings', statement: 'boolean' },
      }),
    ),
  ];
}
