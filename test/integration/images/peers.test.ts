import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createReadStream, createWriteStream, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { test } from 'node:test';
import { sha256 } from './archives.ts';
import { assertEmpty, assertWhole, never, newFixture, temporaryDirectory, type ImageFixture } from './fixture.ts';

const NAME = 'localhost/peers:1';

/** A program with image storage of its own, gone with the directory. */
function inStorage(program: string, directory: string, ...args: string[]): string {
  const storage = [
    '--root',
    join(directory, 'storage'),
    '--runroot',
    join(directory, 'run'),
    '--storage-driver',
    'vfs',
  ];
  return execFileSync(program, [...storage, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
}

/** An index of three platforms that buildah made, as an OCI archive. */
function buildahArchive(directory: string): string {
  const buildah = (...args: string[]): string => inStorage('buildah', directory, ...args);
  buildah('manifest', 'create', NAME);
  for (const architecture of ['amd64', 'arm64', 's390x']) {
    const file = join(directory, architecture);
    writeFileSync(file, architecture);
    const container = buildah('from', '--arch', architecture, 'scratch');
    buildah('copy', '-q', container, file, '/architecture');
    buildah('config', '--arch', architecture, container);
    buildah('commit', '-q', '--manifest', NAME, container);
    buildah('rm', container);
  }
  const archive = join(directory, 'buildah.tar');
  buildah('manifest', 'push', '-q', '--all', NAME, `oci-archive:${archive}:${NAME}`);
  return archive;
}

function rawDigest(archive: string): string {
  return sha256(execFileSync('skopeo', ['inspect', '--raw', `oci-archive:${archive}`]));
}

async function load(fixture: ImageFixture, archive: string): Promise<void> {
  await Array.fromAsync(fixture.images.load(createReadStream(archive), { quiet: true, platform: '', signal: never }));
}

async function save(fixture: ImageFixture, file: string, platform = ''): Promise<string> {
  await pipeline(await fixture.images.save([NAME], { platform, signal: never }), createWriteStream(file));
  await fixture.store.settle();
  return file;
}

test('an index that buildah made comes through load and save with its digest, and skopeo, umoci and podman read it', async (t) => {
  const directory = temporaryDirectory(t);
  const made = buildahArchive(directory);
  const fixture = await newFixture(t);
  await load(fixture, made);
  await assertWhole(fixture);
  const saved = await save(fixture, join(directory, 'saved.tar'));
  assert.equal(rawDigest(saved), rawDigest(made));

  const copied = join(directory, 'copied.tar');
  execFileSync('skopeo', ['copy', '-q', '--all', `oci-archive:${saved}`, `oci-archive:${copied}:${NAME}`]);
  assert.equal(rawDigest(copied), rawDigest(made));
  await load(fixture, copied);
  assert.equal(fixture.store.indexes.list().length, 1, 'it is the same index');

  const layout = join(directory, 'layout');
  mkdirSync(layout);
  execFileSync('tar', ['-xf', saved, '-C', layout]);
  assert.equal(execFileSync('umoci', ['ls', '--layout', layout], { encoding: 'utf8' }).trim(), '1');

  const [foreign] = await fixture.images.list({ all: false, filters: new Map(), sharedSize: false, manifests: true });
  const s390x = foreign?.Manifests?.find((manifest) => manifest.ImageData?.Platform.architecture === 's390x');
  assert.equal(rawDigest(await save(fixture, join(directory, 's390x.tar'), 'linux/s390x')), s390x?.ID.slice(7));

  inStorage('podman', directory, 'rmi', '--all', '--force');
  inStorage('podman', directory, 'load', '-q', '-i', saved);
  const id = inStorage('podman', directory, 'image', 'inspect', '--format', '{{.Id}}', NAME);
  assert.equal(`sha256:${id}`, (await fixture.images.resolve(NAME)).id);
  await fixture.images.remove(NAME, { force: false, noPrune: false, platforms: [] });
  await assertEmpty(fixture);
});
