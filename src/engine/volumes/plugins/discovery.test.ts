import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { findPlugin, listPlugins, type PluginDirectories } from './discovery.ts';

function directories(t: TestContext): PluginDirectories & { socket: string; spec: string } {
  const root = mkdtempSync(join(tmpdir(), 'plugins-'));
  t.after(() => rmSync(root, { recursive: true }));
  const [socket, spec] = [join(root, 'run'), join(root, 'etc')];
  for (const each of [socket, spec]) mkdirSync(each);
  return { sockets: [socket, join(root, 'missing')], specs: [spec], socket, spec };
}

test('findPlugin reads specifications, sockets come first', async (t) => {
  const places = directories(t);
  writeFileSync(join(places.spec, 'text.spec'), ' tcp://host:1234\n');
  writeFileSync(join(places.spec, 'both.spec'), 'tcp://other:1');
  mkdirSync(join(places.spec, 'own'));
  writeFileSync(
    join(places.spec, 'own/own.json'),
    JSON.stringify({
      Name: 'own',
      Addr: 'https://host:1',
      TLSConfig: { CAFile: '/ca', CertFile: '', KeyFile: '/key' },
    }),
  );
  writeFileSync(join(places.spec, 'open.json'), JSON.stringify({ Addr: 'https://host:1', TLSConfig: {} }));
  const server = createServer().listen(join(places.socket, 'both.sock'));
  t.after(() => server.close());
  await once(server, 'listening');
  assert.deepEqual(findPlugin('text', places), { url: 'tcp://host:1234' });
  assert.deepEqual(findPlugin('both', places), { url: `unix://${places.socket}/both.sock` });
  assert.deepEqual(findPlugin('own', places), {
    url: 'https://host:1',
    tls: { CAFile: '/ca', KeyFile: '/key', InsecureSkipVerify: false },
  });
  assert.deepEqual(findPlugin('open', places)?.tls, { InsecureSkipVerify: true });
  assert.deepEqual(listPlugins(places).toSorted(), ['both', 'open', 'own', 'text']);
});

test('findPlugin finds nothing for names that lead elsewhere, and refuses what is no specification', (t) => {
  const places = directories(t);
  writeFileSync(join(places.spec, '../outside.spec'), 'tcp://host:1');
  writeFileSync(join(places.spec, 'bad.spec'), 'host:1');
  writeFileSync(join(places.spec, 'bad2.json'), '[');
  assert.equal(findPlugin('../outside', places), undefined);
  assert.equal(findPlugin('missing', places), undefined);
  assert.throws(() => findPlugin('bad', places), /Unknown protocol/);
  assert.throws(() => findPlugin('bad2', places), /plugin specification .*bad2\.json/);
});
