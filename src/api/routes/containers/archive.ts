import { EngineError } from '#errors';
import type { ContainerPathStat } from '#spec';
import type { Exchange } from '../../http/exchange.ts';
import { answer, type Route } from '../../route.ts';
import type { FilesBackend } from './backend.ts';
import { idOf } from './lifecycle.ts';

function pathOf(exchange: Exchange): string {
  const path = exchange.query.text('path');
  if (path === '') throw new EngineError('invalidArgument', 'PATH_EMPTY', 'bad parameter: path cannot be empty');
  return path;
}

function statHeader(stat: ContainerPathStat): string[] {
  return ['X-Docker-Container-Path-Stat', Buffer.from(JSON.stringify(stat)).toString('base64')];
}

async function head(files: FilesBackend, exchange: Exchange): Promise<void> {
  exchange.empty(200, statHeader(await files.statPath(idOf(exchange), pathOf(exchange), exchange.signal)));
}

async function read(files: FilesBackend, exchange: Exchange): Promise<void> {
  const { stat, archive } = await files.readArchive(idOf(exchange), pathOf(exchange), exchange.signal);
  await exchange.pipe('application/x-tar', archive, statHeader(stat));
}

async function write(files: FilesBackend, exchange: Exchange): Promise<void> {
  const { query, body, signal } = exchange;
  await files.writeArchive(idOf(exchange), pathOf(exchange), body, {
    copyUidGid: query.flag('copyUIDGID'),
    noOverwriteDirNonDir: query.flag('noOverwriteDirNonDir'),
    signal,
  });
  exchange.empty(200);
}

const common = { tag: 'Container', query: { path: 'string' } } as const;

/** Rows of `docker cp`. */
export function archiveRoutes(files: FilesBackend): Route[] {
  const path = '/containers/{id}/archive';
  const on =
    (run: (files: FilesBackend, exchange: Exchange) => Promise<void>) =>
    (exchange: Exchange): Promise<void> =>
      run(files, exchange);
  return [
    answer('HEAD', path, { ...common, summary: 'Look at a file in a container', statuses: [200, 404] }, on(head)),
    answer(
      'GET',
      path,
      { ...common, summary: 'Read files of a container as a tar', statuses: [200, 404], answer: 'tar' },
      on(read),
    ),
    answer(
      'PUT',
      path,
      {
        ...common,
        summary: 'Unpack a tar into a container',
        statuses: [200, 403, 404],
        query: { path: 'string', noOverwriteDirNonDir: 'boolean', copyUIDGID: 'boolean' },
        body: 'stream',
      },
      on(write),
    ),
  ];
}
