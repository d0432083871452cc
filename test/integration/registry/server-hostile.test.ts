import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { digestOf, errorCodes, ociManifest, RegistryProbe, someBytes } from '../../helpers/registry-client.ts';
import { TestRegistry } from '../../helpers/registry.ts';
import { until, within } from '../../helpers/until.ts';

let registry: TestRegistry;
let probe: RegistryProbe;

before(async () => {
  registry = await TestRegistry.start({ config: { accessLog: false } });
  probe = new RegistryProbe(registry.url);
});
after(async () => await registry?.dispose());

async function open(): Promise<Socket> {
  const [host, port] = registry.host.split(':');
  const socket = connect({ host: host ?? '', port: Number(port) });
  await once(socket, 'connect');
  return socket;
}

/** Sends bytes as they are and answers all that comes back until the registry closes. */
async function raw(text: string): Promise<string> {
  const socket = await open();
  socket.on('error', () => undefined);
  let answer = '';
  socket.on('data', (chunk) => (answer += String(chunk)));
  socket.end(text);
  await within(once(socket, 'close'), 'the end of the connection');
  return answer;
}

function residentBytes(): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${registry.pid}/status`, 'utf8'))?.[1]) * 1024;
}

test('hostile: names and references that climb out are refused, nothing is made outside the root', async () => {
  const before = readdirSync(registry.directory);
  const hostile = [
    '..',
    '../..',
    'a/../../b',
    'a/./b',
    '%2e%2e/%2e%2e',
    'a%2fb',
    '%00',
    'a\\..\\b',
    '/etc',
    'a/%2e%2e',
  ];
  for (const name of hostile) {
    for (const rest of ['manifests/latest', `blobs/sha256:${'0'.repeat(64)}`, 'tags/list']) {
      const { status } = await probe.get(`/v2/${name}/${rest}`);
      assert.ok([400, 404].includes(status), `${name}/${rest}: ${status}`);
    }
    assert.ok([400, 404, 405].includes((await probe.send('POST', `/v2/${name}/blobs/uploads/`)).status));
  }
  for (const id of ['..', '%2e%2e%2f%2e%2e', '../../lock', 'registry.db', '%2fetc%2fpasswd']) {
    const { status } = await probe.send('PATCH', `/v2/a/b/blobs/uploads/${id}`, { body: 'x' });
    assert.ok([400, 404, 405].includes(status), `${id}: ${status}`);
  }
  for (const digest of [
    'sha256:../../../etc/passwd',
    'sha256:%2e%2e%2fregistry.db',
    `sha256:${'A'.repeat(64)}`,
    'sha512:x',
  ]) {
    assert.ok([400, 404].includes((await probe.get(`/v2/a/b/blobs/${digest}`)).status), digest);
  }
  assert.deepEqual(readdirSync(registry.directory), before);
});

test('hostile: a length beside chunks, doubled lengths, bare line feeds and strange lengths close the connection', async () => {
  const smuggled = 'GET /v2/_catalog HTTP/1.1\r\nHost: x\r\n\r\n';
  const head = 'POST /v2/a/b/blobs/uploads/ HTTP/1.1\r\nHost: x\r\n';
  const shapes = [
    `${head}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    `${head}Content-Length: 0\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
    `${head}Transfer-Encoding: xchunked\r\n\r\n${smuggled}`,
    `${head}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${smuggled}`,
    `${head}Content-Length: -1\r\n\r\n${smuggled}`,
    `${head}Content-Length : 3\r\n\r\nabc${smuggled}`,
    `POST /v2/a/b/blobs/uploads/ HTTP/1.1\nHost: x\nContent-Length: 0\n\n${smuggled}`,
  ];
  for (const shape of shapes) {
    const answer = await raw(shape);
    assert.ok(!answer.includes('"repositories"'), `answered the smuggled request: ${shape}`);
    assert.ok(answer === '' || /^HTTP\/1\.1 [45]/.test(answer), answer);
  }
});

test("hostile: an upload is found only under its own repository's name", async () => {
  const location = await probe.beginUpload('mine/a');
  const stolen = location.replace('mine/a', 'theirs/b');
  for (const method of ['GET', 'PATCH', 'PUT', 'DELETE']) {
    const answer = await probe.send(
      method,
      `${stolen}?digest=${digestOf('x')}`,
      method === 'PATCH' ? { body: 'x' } : {},
    );
    assert.deepEqual([answer.status, errorCodes(answer)], [404, ['BLOB_UPLOAD_UNKNOWN']], method);
  }
  assert.equal((await probe.get(location)).status, 204);
});

test('hostile: Content-Range that lies never adds a byte', async () => {
  const location = await probe.beginUpload('a/ranges');
  const lies = ['5-1', '0-', '-5', 'x-y', '0-99999999999999999999', 'bytes 0-5/3', '1-5', '0-1,2-3', ''];
  for (const range of lies) {
    const { status } = await probe.send('PATCH', location, { headers: { 'content-range': range }, body: 'abcd' });
    assert.ok([400, 416].includes(status), `${range}: ${status}`);
  }
  const chunked = { headers: { 'content-range': '0-9', 'transfer-encoding': 'chunked', 'content-length': '' } };
  const socket = await open();
  socket.write(
    `PATCH ${location} HTTP/1.1\r\nHost: x\r\nContent-Range: ${chunked.headers['content-range']}\r\nTransfer-Encoding: chunked\r\n\r\n`,
  );
  socket.write(`20\r\n${'x'.repeat(32)}\r\n0\r\n\r\n`);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  assert.match(String(answer), /^HTTP\/1\.1 400/);
  assert.equal((await probe.get(location)).headers.get('range'), '0-0');
  const content = someBytes(1);
  assert.equal((await probe.send('PUT', `${location}?digest=${digestOf(content)}`, { body: content })).status, 201);
});

test('hostile: an endless manifest is refused at its limit, with bounded memory', async () => {
  const start = residentBytes();
  const socket = await open();
  let answer = '';
  socket.on('data', (chunk) => (answer += String(chunk)));
  socket.on('error', () => undefined);
  socket.write(
    `PUT /v2/a/b/manifests/x HTTP/1.1\r\nHost: x\r\nContent-Type: ${ociManifest}\r\nTransfer-Encoding: chunked\r\n\r\n`,
  );
  const piece = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
  for (let sent = 0; sent < 200 && !socket.destroyed; sent++) {
    if (!socket.write(piece)) await Promise.race([once(socket, 'drain'), once(socket, 'close')]).catch(() => undefined);
  }
  await until(() => answer !== '', { what: 'the refusal' });
  assert.match(answer, /^HTTP\/1\.1 413/);
  socket.destroy();
  assert.ok(residentBytes() - start < 100 * 1024 * 1024);
});

test('hostile: deep and wide JSON in a manifest is an error, not a crash', async () => {
  for (const body of [
    '['.repeat(1_000_000),
    `{"a":${'['.repeat(500_000)}${']'.repeat(500_000)}}`,
    '{"schemaVersion":2,"__proto__":{}}',
  ]) {
    const answer = await probe.pushManifest('a/b', 'x', body);
    assert.deepEqual([answer.status, errorCodes(answer)], [400, ['MANIFEST_INVALID']]);
  }
});

test('hostile: thousands of open uploads keep no files open and little memory', async () => {
  const files = (): number => readdirSync(`/proc/${registry.pid}/fd`).length;
  const start = residentBytes();
  const [before, batch] = [files(), 100];
  for (let round = 0; round < 20; round++) {
    await Promise.all(
      Array.from(
        { length: batch },
        async () => await probe.send('PATCH', await probe.beginUpload('many/uploads'), { body: 'x' }),
      ),
    );
  }
  assert.ok(files() - before < batch + 20, `${files()} files`);
  assert.ok(residentBytes() - start < 150 * 1024 * 1024);
});

test('hostile: clients that send nothing and clients that go away leave the others alone', async () => {
  const idle = await Promise.all(Array.from({ length: 50 }, open));
  const half = await Promise.all(Array.from({ length: 50 }, open));
  for (const socket of half) {
    socket.on('error', () => undefined);
    socket.write('PUT /v2/a/b/manifests/x HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf');
  }
  await probe.pushImage('a/alone', '1');
  for (const socket of [...idle, ...half]) socket.destroy();
  assert.equal((await probe.get('/v2/a/alone/manifests/1')).status, 200);
});

test('hostile: a client that stops reading a large blob costs no memory', async () => {
  const content = Buffer.alloc(64 * 1024 * 1024, 7);
  const digest = await probe.pushBlob('a/large', content);
  const start = residentBytes();
  const sockets = await Promise.all(Array.from({ length: 10 }, open));
  for (const socket of sockets) {
    socket.pause();
    socket.on('error', () => undefined);
    socket.write(`GET /v2/a/large/blobs/${digest} HTTP/1.1\r\nHost: x\r\n\r\n`);
  }
  const { body } = await probe.get(`/v2/a/large/blobs/${digest}`);
  assert.equal(body.length, content.length);
  assert.ok(residentBytes() - start < 150 * 1024 * 1024);
  for (const socket of sockets) socket.destroy();
});
