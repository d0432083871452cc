import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { ApiClient } from '#client';
import { refuses, useEngine } from '../../helpers/engine.ts';
import { berthOnly } from '../../helpers/target.ts';
import { until, within } from '../../helpers/until.ts';

const engine = useEngine();

/** A request spoken by hand, so that nothing is added or repaired; the whole answer as text. */
async function raw(request: string): Promise<string> {
  const socket = connect(engine.host.replace('unix://', ''));
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  socket.on('error', () => undefined);
  socket.write(request);
  await within(once(socket, 'close'), 'the answer');
  return text;
}

describe('API', { concurrency: 4 }, () => {
  test('_ping answers OK with its headers, GET and HEAD', async () => {
    const get = await raw('GET /_ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    assert.match(get, /^HTTP\/1\.1 200 OK\r\n/);
    assert.match(get, /\r\nApi-Version: 1\.\d+\r\n/i);
    assert.match(get, /\r\nOstype: linux\r\n/i);
    assert.match(get, /\r\nDocker-Experimental: (true|false)\r\n/i);
    assert.match(get, /\r\nCache-Control: no-cache, no-store, must-revalidate\r\n/i);
    assert.match(get, /\r\nServer: \S+/i);
    assert.match(get, /\r\n\r\nOK$/);
    const head = await raw('HEAD /_ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    assert.match(head, /^HTTP\/1\.1 200 OK\r\n/);
    assert.match(head, /\r\n\r\n$/);
  });

  test('every version from 1.24 on is served, with and without prefix', async () => {
    const { ApiVersion } = await engine.client.get<{ ApiVersion: string }>('/version');
    const newest = Number(ApiVersion.split('.')[1]);
    for (const minor of [24, 30, 35, 40, newest]) {
      const client = new ApiClient({ host: engine.host, apiVersion: `1.${minor}` });
      assert.ok(Array.isArray(await client.get('/containers/json')));
      client.close();
    }
    const plain = await raw('GET /containers/json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    assert.match(plain, /^HTTP\/1\.1 200 OK\r\n/);
  });

  test('a version too new or too old is refused with both versions named', async () => {
    const tooNew = new ApiClient({ host: engine.host, apiVersion: '1.999' });
    await refuses(
      tooNew.get('/containers/json'),
      400,
      /^client version 1\.999 is too new\. Maximum supported API version is 1\.\d+$/,
    );
    const tooOld = new ApiClient({ host: engine.host, apiVersion: '1.2' });
    await refuses(
      tooOld.get('/containers/json'),
      400,
      /^client version 1\.2 is too old\. Minimum supported API version is 1\.\d+, please upgrade your client to a newer version$/,
    );
  });

  test('the newest version advertised is 1.51', berthOnly, async () => {
    const version = await engine.client.get<{ ApiVersion: string; MinAPIVersion: string; Os: string }>('/version');
    assert.equal(version.ApiVersion, '1.51');
    assert.equal(version.MinAPIVersion, '1.24');
    assert.equal(version.Os, 'linux');
  });

  test('info has what clients read', async () => {
    const info = await engine.client.get<Record<string, unknown>>('/info');
    for (const key of [
      'ID',
      'Containers',
      'ContainersRunning',
      'Images',
      'Driver',
      'CgroupDriver',
      'CgroupVersion',
      'NCPU',
      'MemTotal',
      'Name',
      'ServerVersion',
      'OSType',
      'Architecture',
      'KernelVersion',
      'OperatingSystem',
      'DockerRootDir',
      'Runtimes',
      'DefaultRuntime',
      'SecurityOptions',
      'Plugins',
      'RegistryConfig',
      'Swarm',
      'Warnings',
    ]) {
      assert.ok(key in info, key);
    }
    assert.equal(info['OSType'], 'linux');
    assert.equal(info['Driver'], 'overlay2');
  });

  test('an unknown route is 404 as JSON, a known one with another method too', async () => {
    await refuses(engine.client.get('/no/such/route'), 404, /^page not found$/);
    await refuses(engine.client.delete('/info'), [404, 405], /page not found|method not allowed/i);
  });

  test('routes not built yet answer 501 with their name', berthOnly, async () => {
    await refuses(engine.client.get('/swarm'), [501, 503], /swarm/i);
  });

  test('the description of the API is served', berthOnly, async () => {
    const description = await engine.client.get<{ openapi: string; paths: Record<string, unknown> }>('/openapi.json');
    assert.match(description.openapi, /^3\./);
    assert.ok('/containers/{id}/json' in description.paths || '/containers/{name}/json' in description.paths);
  });

  test('a broken body is 400, unknown fields are ignored', async (t) => {
    const broken = await raw(
      'POST /containers/create HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n{"Image"',
    );
    assert.match(broken, /^HTTP\/1\.1 (400|500) /);
    const body: Record<string, unknown> = { Cmd: ['true'], NoSuchField: { deep: [1] } };
    await engine.create(t, body);
  });

  test('a body that is no JSON type is refused', async () => {
    const other = await raw(
      'POST /containers/create HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}',
    );
    assert.match(other, /^HTTP\/1\.1 400 /);
    assert.match(other, /Content-Type/);
  });

  test('errors are JSON with a message', async () => {
    const answer = await raw('GET /v1.41/containers/nosuch/json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    assert.match(answer, /^HTTP\/1\.1 404 Not Found\r\n/);
    assert.match(answer, /\r\nContent-Type: application\/json\r\n/i);
    assert.match(answer, /\{"message":"No such container: nosuch"\}\n?/);
  });

  test('ambiguous framing of a request is refused', async () => {
    const answer = await raw(
      'POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n',
    );
    assert.match(answer, /^(HTTP\/1\.1 400 |$)/);
  });

  test('the socket is not for everybody', berthOnly, () => {
    assert.equal(statSync(engine.host.replace('unix://', '')).mode & 0o777, 0o660);
    assert.ok((statSync(engine.daemon.dataRoot).mode & 0o007) <= 1);
    assert.ok((statSync(engine.daemon.execRoot).mode & 0o007) <= 1);
  });

  test('clients that go away are noticed: no stream or descriptor stays', berthOnly, async (t) => {
    const id = await engine.run(t, 'while :; do echo x; usleep 10000; done');
    const fds = (): number => readdirSync(`/proc/${engine.daemon.pid}/fd`).length;
    const open = async (): Promise<void> => {
      const streams = await Promise.all(
        ['/events', `/containers/${id}/logs?follow=1&stdout=1`, `/containers/${id}/stats`].map(
          async (path) => await engine.client.send({ method: 'GET', path }),
        ),
      );
      for (const stream of streams) stream.cancel();
      (await engine.attach(id, { stream: true, stdout: true })).destroy();
    };
    await open();
    const before = await until(() => fds(), { what: 'a count' });
    for (let round = 0; round < 10; round++) await open();
    await until(() => fds() <= before + 2, { what: `at most ${before + 2} open descriptors, not ${fds()}` });
  });

  test('/system/df counts images and containers', async (t) => {
    const id = await engine.create(t);
    const df = await engine.client.get<{ Images: { Id: string }[]; Containers: { Id: string }[]; LayersSize: number }>(
      '/system/df',
    );
    assert.ok(df.LayersSize > 1_000_000);
    assert.ok(df.Images.length > 0);
    assert.ok(df.Containers.some(({ Id }) => Id === id));
  });
});
