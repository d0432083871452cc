import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { useEngine } from '../../helpers/engine.ts';
import { startDockerRegistry } from '../../helpers/docker-registry.ts';
import { berthOnly } from '../../helpers/target.ts';
import { ImageServer } from './image-server.ts';
import { remoteImage } from './remote-images.ts';
import { assertWhole, digestIn, hasImage, pull, push, removeImageAfter } from './transfer.ts';

const engine = useEngine();

/** Dies in `work` at the fail point, and starts again. */
async function dieIn(failpoint: string, work: () => Promise<unknown>): Promise<void> {
  await engine.daemon.terminate();
  await engine.daemon.launch({ BERTH_FAILPOINTS: failpoint });
  const working = work();
  working.catch(() => undefined);
  await engine.daemon.exited();
  await working.catch(() => undefined);
  await engine.daemon.launch();
}

function assertNothingUnderWay(): void {
  assert.deepEqual(readdirSync(join(engine.daemon.dataRoot, 'store', 'ingest')), []);
}

async function served(t: TestContext): Promise<{ name: string; digest: string; id: string }> {
  const server = await ImageServer.start(t);
  const image = await remoteImage(['one', 'two']);
  server.add(image, '1');
  return { name: `${server.host}/crash`, digest: image.digest, id: image.id };
}

describe('a daemon killed in the middle', berthOnly, () => {
  for (const failpoint of ['pull-downloading', 'pull-downloaded', 'pull-blob-stored', 'image-before-commit']) {
    test(`of a pull, at ${failpoint}, has a whole store without it, and pulls again`, async (t) => {
      const { name, id } = await served(t);
      await dieIn(failpoint, async () => await pull(engine, name, { tag: '1' }));
      assert.equal(await hasImage(engine, `${name}:1`), false);
      assertNothingUnderWay();
      await assertWhole(engine);
      removeImageAfter(t, engine, id);
      await pull(engine, name, { tag: '1' });
      assert.ok(await hasImage(engine, `${name}:1`));
      await assertWhole(engine);
    });
  }

  for (const failpoint of ['push-compressed', 'push-blob-sent', 'push-before-manifest', 'push-manifest-put']) {
    test(`of a push, at ${failpoint}, has a whole store, and pushes again`, async (t) => {
      const registry = await startDockerRegistry(t);
      const name = `${registry.host}/crash`;
      const id = await commitImage(t, name);
      removeImageAfter(t, engine, id);
      await dieIn(failpoint, async () => await push(engine, name, { tag: '1' }));
      assertNothingUnderWay();
      await assertWhole(engine);
      const digest = digestIn(await push(engine, name, { tag: '1' }));
      assert.equal(digestIn(await push(engine, name, { tag: '1' })), digest);
      await assertWhole(engine);
    });
  }
});

/** An image whose layers are plain tars. */
async function commitImage(t: TestContext, name: string): Promise<string> {
  const container = await engine.create(t);
  const { Id } = await engine.client.post<{ Id: string }>('/commit', { container, repo: name, tag: '1' });
  return Id;
}
