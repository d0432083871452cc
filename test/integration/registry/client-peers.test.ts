import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { isKind } from '#errors';
import type { RemoteRepository } from '#registry';
import type { Digest } from '#spec';
import { TestRegistry } from '../../helpers/registry.ts';
import { Authority, certificateDirectory, scratch } from './certificates.ts';
import { dockerRegistry } from './docker-registry.ts';
import { clientFor, collect, content, digestOf, never, repositoryAt, type RepositorySetup } from './fake-registry.ts';

const signal = never;

async function pushBytes(
  repository: RemoteRepository,
  bytes: Buffer,
  mountFrom: readonly string[] = [],
): Promise<[Digest, string]> {
  const digest = digestOf(bytes);
  const open = async function* (offsetBytes: number): AsyncGenerator<Uint8Array> {
    for (let at = offsetBytes; at < bytes.length; at += 100_000) yield bytes.subarray(at, at + 100_000);
  };
  const pushed = await repository.pushBlob({ digest, sizeBytes: bytes.length }, { open, mountFrom, signal });
  return [digest, pushed];
}

interface Relay {
  readonly host: string;
  /** Cuts the one connection that gets there first. */
  cutAfter(limits: { sentBytes?: number; receivedBytes?: number }): void;
}

/** Stands between the client and a server. */
async function cuttingRelay(t: TestContext, target: string): Promise<Relay> {
  const none = Number.POSITIVE_INFINITY;
  let limits: { sentBytes?: number; receivedBytes?: number } = {};
  const sockets: Socket[] = [];
  const server = createServer((near) => {
    const far = connect(Number(target.split(':')[1]), '127.0.0.1');
    const forward = (from: Socket, to: Socket, limit: () => number): void => {
      let count = 0;
      from.on('data', (chunk: Buffer) => {
        count += chunk.length;
        if (count > limit()) {
          limits = {};
          // What came before it arrives there, as on a line that breaks.
          far.end();
          near.resetAndDestroy();
        } else if (!to.write(chunk)) {
          from.pause();
          to.once('drain', () => from.resume());
        }
      });
      from.on('close', () => to.end());
      from.on('error', () => to.end());
    };
    forward(near, far, () => limits.sentBytes ?? none);
    forward(far, near, () => limits.receivedBytes ?? none);
    sockets.push(near, far);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const cutAfter: Relay['cutAfter'] = (wanted) => (limits = wanted);
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, cutAfter };
}

const config = Buffer.from('{"architecture":"amd64","os":"linux"}');

/** Pushes an image of one layer. */
async function pushImage(repository: RemoteRepository, tag: string, layer: Buffer): Promise<Digest> {
  const [configDigest] = await pushBytes(repository, config);
  const [layerDigest] = await pushBytes(repository, layer);
  const manifest = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: configDigest, size: config.length },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: layerDigest, size: layer.length }],
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  return await repository.putManifest(tag, { mediaType: manifest.mediaType, bytes }, { signal });
}

async function roundTrip(t: TestContext, host: string, setup: RepositorySetup): Promise<void> {
  const repository = repositoryAt(t, host, { ...setup, actions: 'push' });
  const layer = content(12_345_678);
  const digest = await pushImage(repository, 'one', layer);
  const got = await repository.getManifest('one', { signal });
  assert.equal(got.digest, digest);
  assert.deepEqual(await repository.headManifest('one', { signal }), {
    digest,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    sizeBytes: got.bytes.length,
  });
  const read = await collect(repository.readBlob({ digest: digestOf(layer), sizeBytes: layer.length }, { signal }));
  assert.ok(read.equals(layer));
}

void describe('docker-registry', () => {
  void test('takes images and gives them back, knows and mounts what is there, lists and forgets', async (t) => {
    const host = await dockerRegistry(t);
    await roundTrip(t, host, {});
    const repository = repositoryAt(t, host, { actions: 'push' });
    const layer = content(12_345_678);
    assert.equal((await pushBytes(repository, layer))[1], 'existed');
    const other = clientFor(t).repository({ domain: host, path: 'c/d' }, { credentials: {}, actions: 'push' });
    assert.equal((await pushBytes(other, layer, ['a/b']))[1], 'mounted');
    assert.equal((await pushBytes(other, content(1000), ['a/b']))[1], 'uploaded');
    assert.equal(await other.hasBlob(digestOf(layer), { signal }), true);
    assert.equal(await other.hasBlob(digestOf(content(999)), { signal }), false);
    assert.deepEqual(await repository.listTags({ signal }), ['one']);
    const { digest } = await repository.getManifest('one', { signal });
    await repository.deleteManifest(digest, { signal });
    assert.equal(await repository.headManifest(digest, { signal }), undefined);
  });

  void test('takes a blob again and gives the rest of it after a break of the connection', async (t) => {
    const relay = await cuttingRelay(t, await dockerRegistry(t));
    const repository = repositoryAt(t, relay.host, { actions: 'push', limits: { monolithicBytes: 1000 } });
    const bytes = content(6_000_000);
    const blob = { digest: digestOf(bytes), sizeBytes: bytes.length };
    const offsets: number[] = [];
    const open = async function* (offsetBytes: number): AsyncGenerator<Uint8Array> {
      offsets.push(offsetBytes);
      for (let at = offsetBytes; at < bytes.length; at += 100_000) yield bytes.subarray(at, at + 100_000);
    };
    relay.cutAfter({ sentBytes: 3_000_000 });
    assert.equal(await repository.pushBlob(blob, { open, mountFrom: [], signal }), 'uploaded');
    // Debian's version drops an upload whose last piece broke off.
    assert.deepEqual(offsets, [0, 0]);
    relay.cutAfter({ receivedBytes: 3_000_000 });
    const retries: number[] = [];
    const onRetry = (attempt: number): void => void retries.push(attempt);
    assert.ok((await collect(repository.readBlob(blob, { signal, onRetry }))).equals(bytes));
    assert.deepEqual(retries, [1]);
  });

  void test('says what is missing in the words of Docker', async (t) => {
    const host = await dockerRegistry(t);
    const repository = repositoryAt(t, host);
    const missing = (text: string) => (error: unknown) => isKind(error, 'notFound') && String(error).endsWith(text);
    await assert.rejects(repository.getManifest('x', { signal }), missing(': manifest unknown: manifest unknown'));
    await assert.rejects(
      repository.listTags({ signal }),
      missing(': name unknown: repository name not known to registry'),
    );
    const blob = { digest: digestOf(config), sizeBytes: config.length };
    await assert.rejects(
      collect(repository.readBlob(blob, { signal })),
      missing(': blob unknown: blob unknown to registry'),
    );
    await assert.rejects(
      clientFor(t).search(host, { term: 'x', limit: 1 }, { credentials: {}, signal }),
      /cannot be searched/,
    );
  });

  void test('with users lets in who has the password', async (t) => {
    const htpasswd = execFileSync('htpasswd', ['-Bbn', 'user', 'p@ss:word'], { encoding: 'utf8' });
    const host = await dockerRegistry(t, { htpasswd });
    const credentials = { username: 'user', password: 'p@ss:word' };
    await roundTrip(t, host, { credentials });
    assert.equal(await clientFor(t).login(host, credentials, { signal }), '');
    const wrong = { ...credentials, password: 'wrong' };
    await assert.rejects(clientFor(t).login(host, wrong, { signal }), /failed with status: 401 Unauthorized$/);
    await assert.rejects(
      repositoryAt(t, host, { credentials: wrong }).getManifest('one', { signal }),
      /unauthorized: authentication required$/,
    );
    await assert.rejects(repositoryAt(t, host).getManifest('one', { signal }), /no basic auth credentials$/);
  });

  void test('with a certificate of an own authority is reached through certs.d', async (t) => {
    const authority = new Authority(t);
    const tls = authority.issue('registry', ['IP:0.0.0.0']);
    const host = await dockerRegistry(t, { tls, address: '0.0.0.0' });
    const certificateDirectories = [certificateDirectory(t, host, { 'ca.crt': authority.certificate })];
    await roundTrip(t, host, { certificateDirectories });
    await assert.rejects(
      repositoryAt(t, host).getManifest('one', { signal }),
      /certificate signed by unknown authority$/,
    );
  });
});

void test('our own registry takes and gives the rest of a blob after a break of the connection', async (t) => {
  const registry = await TestRegistry.start();
  t.after(() => registry.dispose());
  const relay = await cuttingRelay(t, registry.host);
  const repository = repositoryAt(t, relay.host, { actions: 'push', limits: { monolithicBytes: 1000 } });
  const bytes = content(6_000_000);
  const blob = { digest: digestOf(bytes), sizeBytes: bytes.length };
  const offsets: number[] = [];
  const open = async function* (offsetBytes: number): AsyncGenerator<Uint8Array> {
    offsets.push(offsetBytes);
    for (let at = offsetBytes; at < bytes.length; at += 100_000) yield bytes.subarray(at, at + 100_000);
  };
  relay.cutAfter({ sentBytes: 3_000_000 });
  assert.equal(await repository.pushBlob(blob, { open, mountFrom: [], signal }), 'uploaded');
  assert.equal(offsets.length, 2);
  assert.ok((offsets[1] ?? 0) > 0, `went on at ${offsets[1]}`);
  relay.cutAfter({ receivedBytes: 3_000_000 });
  assert.ok((await collect(repository.readBlob(blob, { signal }))).equals(bytes));
});

void test('skopeo and our client see the same image in a registry', async (t) => {
  const host = await dockerRegistry(t);
  const repository = repositoryAt(t, host, { actions: 'push' });
  const directory = scratch(t);
  const tree = join(directory, 'tree');
  mkdirSync(tree);
  writeFileSync(join(tree, 'file'), 'content');
  execFileSync('tar', ['-C', tree, '-cf', join(directory, 'layer.tar'), '.']);
  const layer = execFileSync('cat', [join(directory, 'layer.tar')]);
  const digest = await pushImage(repository, 'ours', layer);
  const inspected = execFileSync('skopeo', ['inspect', '--raw', '--tls-verify=false', `docker://${host}/a/b:ours`]);
  assert.equal(digestOf(inspected), digest);
  const copy = ['copy', '-q', '--src-tls-verify=false', '--dest-tls-verify=false', '--preserve-digests'];
  execFileSync('skopeo', [...copy, `docker://${host}/a/b:ours`, `docker://${host}/a/b:theirs`]);
  assert.equal((await repository.getManifest('theirs', { signal })).digest, digest);
  assert.deepEqual((await repository.listTags({ signal })).toSorted(), ['ours', 'theirs']);
});
