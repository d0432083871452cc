import { answer, raw, type Route, type RouteDoc, unbuilt } from '../../route.ts';
import { attach, attachWebsocket } from './attach.ts';
import type { ContainersBackend } from './backend.ts';
import * as lifecycle from './lifecycle.ts';
import * as look from './look.ts';
import { logs } from './logs.ts';
import { wait } from './wait.ts';

function doc(summary: string, statuses: readonly number[], rest: Partial<RouteDoc> = {}): RouteDoc {
  return { tag: 'Container', summary, statuses, ...rest };
}

const attachQuery = {
  detachKeys: 'string',
  logs: 'boolean',
  stream: 'boolean',
  stdin: 'boolean',
  stdout: 'boolean',
  stderr: 'boolean',
} as const;

function lifecycleRoutes(backend: ContainersBackend): Route[] {
  const on =
    <X>(run: (backend: ContainersBackend, exchange: X) => Promise<void>) =>
    (exchange: X): Promise<void> =>
      run(backend, exchange);
  const stopQuery = { signal: 'string', t: 'integer' } as const;
  return [
    answer(
      'POST',
      '/containers/create',
      doc('Create a container', [201, 404, 409], {
        query: { name: 'string', platform: 'string' },
        body: 'ContainerCreateRequest',
        answer: 'ContainerCreateResponse',
      }),
      on(lifecycle.create),
    ),
    answer(
      'POST',
      '/containers/{id}/start',
      doc('Start a container', [204, 304, 404], { query: { detachKeys: 'string', checkpoint: 'string' } }),
      on(lifecycle.start),
    ),
    answer(
      'POST',
      '/containers/{id}/stop',
      doc('Stop a container', [204, 304, 404], { query: stopQuery }),
      on(lifecycle.stop),
    ),
    answer(
      'POST',
      '/containers/{id}/restart',
      doc('Restart a container', [204, 404], { query: stopQuery }),
      on(lifecycle.restart),
    ),
    answer(
      'POST',
      '/containers/{id}/kill',
      doc('Send a signal to a container', [204, 404, 409], { query: { signal: 'string' } }),
      on(lifecycle.kill),
    ),
    answer(
      'POST',
      '/containers/{id}/update',
      doc('Change resources and restart policy', [200, 404], { body: 'HostConfig', answer: 'ContainerUpdateResponse' }),
      on(lifecycle.update),
    ),
    answer(
      'POST',
      '/containers/{id}/rename',
      doc('Rename a container', [204, 404, 409], { query: { name: 'string' } }),
      on(lifecycle.rename),
    ),
    answer('POST', '/containers/{id}/pause', doc('Pause a container', [204, 404]), on(lifecycle.pause)),
    answer('POST', '/containers/{id}/unpause', doc('Let a paused container go on', [204, 404]), on(lifecycle.unpause)),
    answer(
      'POST',
      '/containers/{id}/resize',
      doc("Resize a container's terminal", [200, 404], { query: { h: 'integer', w: 'integer' } }),
      on(lifecycle.resize),
    ),
    answer(
      'POST',
      '/containers/{id}/wait',
      doc('Wait for a container', [200, 404], { query: { condition: 'string' }, answer: 'WaitResponse' }),
      on(wait),
    ),
    answer(
      'DELETE',
      '/containers/{id}',
      doc('Remove a container', [204, 404, 409], { query: { v: 'boolean', force: 'boolean', link: 'boolean' } }),
      on(lifecycle.remove),
    ),
    answer(
      'POST',
      '/containers/prune',
      doc('Remove stopped containers', [200], {
        since: 25,
        query: { filters: 'filters' },
        answer: 'ContainersPruneReport',
      }),
      on(lifecycle.prune),
    ),
    raw(
      'POST',
      '/containers/{id}/attach',
      doc('Attach to a container', [101, 200, 404], { query: attachQuery, answer: 'raw stream' }),
      on(attach),
    ),
    raw(
      'GET',
      '/containers/{id}/attach/ws',
      doc('Attach to a container by websocket', [101, 404], { query: attachQuery, answer: 'websocket' }),
      on(attachWebsocket),
    ),
  ];
}

function lookRoutes(backend: ContainersBackend): Route[] {
  const on =
    <X>(run: (backend: ContainersBackend, exchange: X) => Promise<void>) =>
    (exchange: X): Promise<void> =>
      run(backend, exchange);
  return [
    answer(
      'GET',
      '/containers/json',
      doc('List containers', [200], {
        query: {
          all: 'boolean',
          limit: 'integer',
          size: 'boolean',
          filters: 'filters',
          since: 'string',
          before: 'string',
        },
        answer: 'ContainerSummary[]',
      }),
      on(look.list),
    ),
    answer(
      'GET',
      '/containers/{id}/json',
      doc('Inspect a container', [200, 404], { query: { size: 'boolean' }, answer: 'ContainerInspect' }),
      on(look.inspect),
    ),
    answer(
      'GET',
      '/containers/{id}/top',
      doc("List a container's processes", [200, 404, 409], { query: { ps_args: 'string' }, answer: 'TopResponse' }),
      on(look.top),
    ),
    answer(
      'GET',
      '/containers/{id}/logs',
      doc('Read what a container printed', [200, 404], {
        query: {
          follow: 'boolean',
          stdout: 'boolean',
          stderr: 'boolean',
          since: 'time',
          until: 'time',
          timestamps: 'boolean',
          details: 'boolean',
          tail: 'string',
        },
        answer: 'raw stream',
      }),
      on(logs),
    ),
    answer(
      'GET',
      '/containers/{id}/changes',
      doc("List what changed in a container's files", [200, 404], { answer: 'FilesystemChange[]' }),
      on(look.changes),
    ),
    answer(
      'GET',
      '/containers/{id}/export',
      doc("Read a container's files as a tar", [200, 404], { answer: 'tar' }),
      on(look.exportFiles),
    ),
    answer(
      'GET',
      '/containers/{id}/stats',
      doc("Read a container's use of resources", [200, 404], {
        query: { stream: 'boolean', 'one-shot': 'boolean' },
        answer: 'ContainerStats lines',
      }),
      on(look.stats),
    ),
  ];
}

/** Rows of the container routes. */
export function containerRoutes(backend: ContainersBackend): Route[] {
  return [...lookRoutes(backend), ...lifecycleRoutes(backend)];
}

/** Rows of Docker's container routes that have no backend yet. */
export function unbuiltContainerRoutes(): Route[] {
  return [
    unbuilt(
      'GET',
      '/containers/{id}/checkpoints',
      doc("List a container's checkpoints", [200, 404], { query: { dir: 'string' } }),
    ),
    unbuilt('POST', '/containers/{id}/checkpoints', doc('Checkpoint a container', [201, 404], { body: 'Checkpoint' })),
    unbuilt(
      'DELETE',
      '/containers/{id}/checkpoints/{checkpoint}',
      doc('Remove a checkpoint', [204, 404], { query: { dir: 'string' } }),
    ),
  ];
}
