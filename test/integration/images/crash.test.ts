import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { dockerArchive, idOf, indexArchive, indexOf, layerOf } from './archives.ts';
import { assertEmpty, assertWhole, loaded, openFixture, temporaryDirectory } from './fixture.ts';

const worker = new URL('./crash-worker.ts', import.meta.url).pathname;

/** Runs one operation in a process of its own; answers how it ended. */
async function run(args: string[], failpoint: string): Promise<NodeJS.Signals | number | null> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', worker, ...args], {
    env: { ...process.env, BERTH_FAILPOINTS: failpoint },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return await new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)));
}

const points = {
  load: [
    'blob-before-rename',
    'blob-after-rename',
    'layer-unpacked',
    'layer-renamed',
    'layer-recorded',
    'image-layer-added',
    'image-before-commit',
    'image-after-commit',
  ],
  remove: ['collect-detached'],
  container: [
    'container-layer-made',
    'container-layer-recorded',
    'container-layer-mounted',
    'container-layer-unmounted',
    'container-layer-unrecorded',
  ],
};

test('a kill at any step of load, remove and a container layer leaves a store that is whole after a restart', async (t) => {
  const archive = await dockerArchive([
    { layers: [await layerOf('a'), await layerOf('b')], tags: ['crash:1'], compress: 'gzip' },
  ]);
  for (const [operation, names] of Object.entries(points)) {
    for (const name of names) {
      await t.test(`${operation}, killed at ${name}`, async (inner) => {
        const directory = temporaryDirectory(inner);
        const file = join(directory, 'archive.tar');
        writeFileSync(file, archive);
        if (operation !== 'load') assert.equal(await run([directory, 'load', file], ''), 0);
        assert.equal(await run([directory, operation, file], name), 'SIGKILL');
        const fixture = await openFixture(directory);
        await assertWhole(fixture);
        for (const id of fixture.store.containerLayers.list()) await fixture.store.containerLayers.remove(id);
        assert.deepEqual(await loaded(fixture.images, archive), ['Loaded image: crash:1']);
        await assertWhole(fixture);
        await fixture.images.remove('crash:1', { force: false, noPrune: false, platforms: [] });
        await assertEmpty(fixture);
        await fixture.close();
      });
    }
  }
});

const indexPoints = {
  load: ['image-manifests-added', 'image-manifest-kept', 'image-before-commit', 'image-after-commit'],
  unpack: ['layer-unpacked', 'layer-recorded', 'image-layer-added', 'image-before-kept-commit'],
  remove: ['collect-detached'],
};

test('a kill at any step of an index being loaded, unpacked for another platform or removed leaves a whole store', async (t) => {
  const image = { layers: [await layerOf('a')], tags: [] };
  const foreign = { layers: [await layerOf('b')], tags: [], architecture: 's390x' };
  const archive = await indexArchive(indexOf([image, foreign], { extras: true }), 'crash:1');
  for (const [operation, names] of Object.entries(indexPoints)) {
    for (const name of names) {
      await t.test(`${operation}, killed at ${name}`, async (inner) => {
        const directory = temporaryDirectory(inner);
        const file = join(directory, 'archive.tar');
        writeFileSync(file, archive);
        if (operation !== 'load') assert.equal(await run([directory, 'load', file], ''), 0);
        if (operation === 'remove') assert.equal(await run([directory, 'unpack', file], ''), 0);
        assert.equal(await run([directory, operation, file], name), 'SIGKILL');
        const fixture = await openFixture(directory);
        await assertWhole(fixture);
        assert.deepEqual(await loaded(fixture.images, archive), ['Loaded image: crash:1']);
        assert.equal((await fixture.images.resolve('crash:1', 'linux/s390x')).id, idOf(foreign));
        await assertWhole(fixture);
        await fixture.images.remove('crash:1', { force: false, noPrune: false, platforms: [] });
        await assertEmpty(fixture);
        await fixture.close();
      });
    }
  }
});
