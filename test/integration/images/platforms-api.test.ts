import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { before, describe, test } from 'node:test';
import { ApiClient, jsonLines } from '#client';
import type { ContainerInspect, ImageInspect, ImageSummary, ProgressLine } from '#spec';
import { busyboxRootfs } from '../../helpers/busybox-image.ts';
import { refuses, useEngine } from '../../helpers/engine.ts';
import { externalHost } from '../../helpers/target.ts';
import { idOf, indexArchive, indexOf, type ArchiveImage } from './archives.ts';

const host = process.arch === 'arm64' ? 'arm64' : 'amd64';
/** A platform whose name differs, for the same programs. */
const twin = process.arch === 'arm64' ? 'arm' : '386';
const NAME = 'platforms-api:1';

// dockerd's answers depend on its image store; these are Berth's.
describe('an index over the API', { skip: externalHost !== undefined && 'Berth only' }, () => {
  const engine = useEngine();
  const rootfs = readFileSync(busyboxRootfs());
  const images = [host, twin].map((architecture): ArchiveImage => ({
    layers: [rootfs],
    tags: [],
    architecture,
    config: { Cmd: ['sh', '-c', 'echo $MADE_FOR'], Env: ['PATH=/bin:/usr/bin', `MADE_FOR=${architecture}`] },
    ...(architecture === 'arm' ? { variant: 'v7' } : {}),
  }));
  const index = indexOf(images, { extras: true });
  const [own, foreign] = images.map(idOf);

  const load = async (name = NAME): Promise<string> => {
    const response = await engine.client.send({
      method: 'POST',
      path: '/images/load',
      query: { quiet: true },
      stream: Readable.from([await indexArchive(index, name)]),
    });
    const lines = await Array.fromAsync(jsonLines<ProgressLine>(response));
    return lines.map((line) => line.stream ?? line.error).join('');
  };
  before(async () => assert.equal(await load(), `Loaded image: ${NAME}\n`));

  const speaking = (apiVersion: string): ApiClient => new ApiClient({ host: engine.host, apiVersion });
  const rows = async (apiVersion: string, manifests: boolean): Promise<ImageSummary[]> =>
    (await speaking(apiVersion).get<ImageSummary[]>('/images/json', { manifests })).filter(({ Id }) => Id === own);

  test('a list tells manifests from 1.47 and the descriptor from 1.48 on', async () => {
    const shape = async (version: string, manifests = true): Promise<(number | undefined | string)[]> => {
      const [row] = await rows(version, manifests);
      return [row?.Manifests?.length, row?.Descriptor?.digest];
    };
    assert.deepEqual(await shape('1.46'), [undefined, undefined]);
    assert.deepEqual(await shape('1.47'), [4, undefined]);
    assert.deepEqual(await shape('1.48'), [4, index.digest]);
    assert.deepEqual(await shape('1.51', false), [undefined, index.digest]);
  });

  test('inspect tells manifests and descriptor from 1.48 on, and a platform from 1.49 on', async () => {
    const inspect = async (version: string, query: Record<string, string | boolean>): Promise<ImageInspect> =>
      await speaking(version).get<ImageInspect>(`/images/${NAME}/json`, query);
    const old = await inspect('1.47', { manifests: true });
    assert.deepEqual([old.Manifests, old.Descriptor], [undefined, undefined]);
    const both = await inspect('1.48', { manifests: true });
    assert.deepEqual([both.Manifests?.length, both.Descriptor?.digest, both.Id], [4, index.digest, own]);
    assert.equal((await inspect('1.48', {})).Manifests, undefined);
    const platform = JSON.stringify({ os: 'linux', architecture: twin });
    assert.equal((await inspect('1.48', { platform })).Id, own);
    const one = await inspect('1.49', { platform });
    assert.deepEqual([one.Id, one.Descriptor?.digest, one.RepoTags], [foreign, index.manifests[1], [NAME]]);
    await refuses(
      inspect('1.49', { platform: JSON.stringify({ os: 'linux', architecture: 'mips' }) }),
      404,
      /^image with reference platforms-api:1 was found but does not provide the specified platform \(linux\/mips\)$/,
    );
  });

  test('run and create choose the platform', async (t) => {
    const run = async (...args: string[]) => await engine.docker(['run', '--rm', ...args, NAME]);
    assert.equal((await run()).stdout, `${host}\n`);
    assert.equal((await run('--platform', `linux/${twin}`)).stdout, `${twin}\n`);
    const made = await engine.docker(['create', '--platform', `linux/${twin}`, NAME]);
    const id = made.stdout.trim();
    engine.removeAfter(t, id);
    assert.equal((await engine.client.get<ContainerInspect>(`/containers/${id}/json`)).Image, foreign);
    const [row] = await rows('1.51', true);
    const users = row?.Manifests?.map((manifest) => manifest.ImageData?.Containers);
    assert.deepEqual(users, [null, [id], undefined, undefined]);
    await refuses(
      engine.client.delete(`/images/${NAME}`),
      409,
      /^conflict: unable to remove repository reference "platforms-api:1" \(must force\)/,
    );
  });

  // The stock CLI knows platforms of images from 28.0 on; Debian's may be older.
  const clis = async (): Promise<(typeof engine.berth)[]> => {
    const { stdout } = await engine.docker(['save', '--help']);
    const docker = stdout.includes('--platform') ? [engine.docker.bind(engine)] : [];
    return [engine.berth.bind(engine), ...docker];
  };

  test('the tree of the CLIs shows the platforms below the name', async () => {
    for (const cli of await clis()) {
      const { stdout } = await cli(['images', '--tree']);
      const lines = stdout.split('\n').map((line) => line.trim().split(/\s{2,}/));
      const at = lines.findIndex(([name]) => name === NAME);
      assert.deepEqual(
        lines.slice(at, at + 3).map(([name, id]) => [name, id]),
        [
          [NAME, own?.slice(7, 19)],
          [`├─ linux/${host}`, index.manifests[0]?.slice(7, 19)],
          [`└─ linux/${twin === 'arm' ? 'arm/v7' : twin}`, index.manifests[1]?.slice(7, 19)],
        ],
      );
    }
  });

  test('save and load of the CLIs take one platform or all', async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'berth-platforms-'));
    t.after(() => rmSync(directory, { recursive: true }));
    const file = join(directory, 'whole.tar');
    writeFileSync(file, await indexArchive(index, 'platforms-api:one'));
    for (const [number, cli] of (await clis()).entries()) {
      const loaded = await cli(['load', '-i', file, '--platform', `linux/${twin}`]);
      assert.equal(loaded.stdout, 'Loaded image: platforms-api:one\n');
      const saved = join(directory, `saved-${number}.tar`);
      const refused = await cli(['save', '-o', saved, '--platform', 'linux/mips', 'platforms-api:one']);
      assert.match(refused.stderr, /does not provide the specified platform \(linux\/mips\)/);
      const save = await cli(['save', '-o', saved, '--platform', `linux/${twin}`, 'platforms-api:one']);
      assert.equal(save.exitCode, 0, save.stderr);
      await cli(['rmi', 'platforms-api:one']);
      assert.equal((await cli(['load', '-i', saved])).stdout, 'Loaded image: platforms-api:one\n');
      const { Id } = await engine.client.get<ImageInspect>('/images/platforms-api:one/json');
      assert.equal(Id, foreign);
      await cli(['rmi', 'platforms-api:one']);
    }
  });
});
