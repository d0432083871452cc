import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { jsonLines } from '#client';
import type { ImageSummary, ProgressLine } from '#spec';
import { refuses, useEngine } from '../../helpers/engine.ts';
import { startDockerRegistry, type DockerRegistry } from '../../helpers/docker-registry.ts';
import { dockerCliPath, runProgram } from '../../helpers/docker-cli.ts';
import { RegistryProbe } from '../../helpers/registry-client.ts';
import { berthOnly } from '../../helpers/target.ts';
import { layerOf } from '../images/archives.ts';
import { ImageServer } from './image-server.ts';
import { digestOf, entryOf, hostArchitecture, indexOf, remoteImage, short, upload } from './remote-images.ts';
import {
  assertWhole,
  digestIn,
  failureOf,
  inspectImage,
  pull,
  push,
  removeImage,
  removeImageAfter,
  texts,
} from './transfer.ts';

const engine = useEngine();
const berthCli = new URL('../../../bin/berth', import.meta.url).pathname;
const manifestTypes = {
  accept: [
    'application/vnd.oci.image.manifest.v1+json',
    'application/vnd.oci.image.index.v1+json',
    'application/vnd.docker.distribution.manifest.v2+json',
  ].join(),
};

async function tag(image: string, repo: string, name: string): Promise<void> {
  await engine.client.post(`/images/${image}/tag`, { repo, tag: name });
}

/** The manifest that the registry has under a tag or digest, as bytes. */
async function manifestAt({ url }: DockerRegistry, repository: string, reference: string): Promise<Buffer> {
  const answer = await new RegistryProbe(url).get(`/v2/${repository}/manifests/${reference}`, manifestTypes);
  assert.equal(answer.status, 200, answer.body.toString());
  return answer.body;
}

/** An image of one plain layer that nobody has, made here. */
async function importImage(t: TestContext, repo: string, name: string): Promise<void> {
  const layer = await layerOf('file', `${process.pid} ${Date.now()} ${Math.random()}`.repeat(2000));
  const response = await engine.client.send({
    method: 'POST',
    path: '/images/create',
    query: { fromSrc: '-', repo, tag: name },
    stream: Readable.from([layer]),
  });
  for await (const line of jsonLines<ProgressLine>(response)) assert.equal(line.error, undefined);
  removeImageAfter(t, engine, `${repo}:${name}`);
}

test(
  'an image pulled from one registry and pushed to another keeps its digest, byte for byte',
  berthOnly,
  async (t) => {
    const [from, to] = [await startDockerRegistry(t), await startDockerRegistry(t)];
    const image = await remoteImage(['one', 'two'], { labels: { colour: 'blue' } });
    await upload(from.url, 'app', image, ['1']);
    await pull(engine, `${from.host}/app`, { tag: '1' });
    removeImageAfter(t, engine, image.id);
    const name = `${to.host}/copy`;
    await tag(`${from.host}/app:1`, name, '2');
    const events = await engine.events(t, { type: ['image'] });
    const lines = await push(engine, name, { tag: '2' });
    assert.equal(texts(lines)[0], `The push refers to repository [${name}]`);
    assert.equal(texts(lines).filter((line) => line.endsWith(': Pushed')).length, 2);
    assert.equal(texts(lines).at(-1), `2: digest: ${image.digest} size: ${image.manifest.length}`);
    assert.deepEqual(lines.at(-1), {
      progressDetail: {},
      aux: { Tag: '2', Digest: image.digest, Size: image.manifest.length },
    });
    assert.ok((await manifestAt(to, 'copy', '2')).equals(image.manifest));
    assert.deepEqual((await events.action('push', `${name}:2`)).Actor.Attributes, { colour: 'blue', name });
    assert.ok((await inspectImage(engine, `${name}:2`)).RepoDigests.includes(`${name}@${image.digest}`));
    const again = texts(await push(engine, name, { tag: '2' }));
    assert.equal(again.filter((line) => line.endsWith(': Layer already exists')).length, 2);
    await tag(`${name}:2`, `${to.host}/third`, '3');
    const mounted = texts(await push(engine, `${to.host}/third`, { tag: '3' }));
    assert.equal(mounted.filter((line) => line.endsWith(': Mounted from copy')).length, 2, mounted.join('\n'));
    await assertWhole(engine);
  },
);

test('layers that came plain are pushed compressed, once, and always the same', async (t) => {
  const registry = await startDockerRegistry(t);
  const name = `${registry.host}/plain`;
  await importImage(t, name, '1');
  const { Id, RootFS } = await inspectImage(engine, `${name}:1`);
  const lines = await push(engine, name, { tag: '1' });
  const digest = digestIn(lines);
  assert.ok(texts(lines).includes(`${short(RootFS.Layers?.[0] ?? '')}: Pushed`), texts(lines).join('\n'));
  const manifest = JSON.parse((await manifestAt(registry, 'plain', '1')).toString()) as {
    config: { digest: string };
    layers: { mediaType: string; size: number }[];
  };
  assert.equal(manifest.config.digest, Id);
  assert.match(manifest.layers[0]?.mediaType ?? '', /gzip$/);
  const again = await push(engine, name, { tag: '1' });
  assert.equal(digestIn(again), digest);
  assert.ok(texts(again).some((line) => line.endsWith('Layer already exists')));
  // Elsewhere too, where it has to be compressed anew.
  const other = await startDockerRegistry(t);
  await tag(`${name}:1`, `${other.host}/plain`, '1');
  removeImageAfter(t, engine, `${other.host}/plain:1`);
  assert.equal(digestIn(await push(engine, `${other.host}/plain`, { tag: '1' })), digest);
  await removeImage(engine, Id);
  await pull(engine, name, { tag: '1' });
  assert.equal((await inspectImage(engine, `${name}:1`)).Id, Id);
  await assertWhole(engine);
});

test('all tags are pushed, and what is not here is told in the words of Docker', async (t) => {
  const registry = await startDockerRegistry(t);
  const name = `${registry.host}/tags`;
  await importImage(t, name, '1');
  await tag(`${name}:1`, name, 'two');
  removeImageAfter(t, engine, `${name}:two`);
  const lines = texts(await push(engine, name));
  assert.equal(lines.filter((line) => /^(1|two): digest: /.test(line)).length, 2);
  assert.equal(failureOf(await push(engine, name, { tag: 'none' })), `tag does not exist: ${name}:none`);
  const none = `${registry.host}/none`;
  assert.equal(
    failureOf(await push(engine, none, { tag: '1' })),
    `An image does not exist locally with the tag: ${none}`,
  );
});

test('an image of several platforms goes whole when it is here whole, else as what is here', berthOnly, async (t) => {
  const [server, registry] = [await ImageServer.start(t), await startDockerRegistry(t)];
  const foreign = hostArchitecture === 'arm64' ? 's390x' : 'arm64';
  const [own, other] = [await remoteImage(['own']), await remoteImage(['other'], { architecture: foreign })];
  for (const image of [own, other]) server.add(image);
  const index = indexOf([entryOf(own, hostArchitecture), entryOf(other, foreign)]);
  server.addIndex(index, '1');
  const [source, name] = [`${server.host}/multi`, `${registry.host}/multi`];
  await pull(engine, source, { tag: '1' });
  await tag(`${source}:1`, name, '1');
  removeImageAfter(t, engine, `${name}:1`, `${source}:1`);
  const partly = await push(engine, name, { tag: '1' });
  assert.equal(digestIn(partly), own.digest);
  assert.deepEqual(
    (partly.at(-1)?.aux as { manifestPushedInsteadOfIndex?: boolean } | undefined)?.manifestPushedInsteadOfIndex,
    true,
  );
  await pull(engine, source, { tag: '1', platform: `linux/${foreign}` });
  await tag(`${source}:1`, name, '1');
  const whole = await push(engine, name, { tag: '1' });
  assert.equal(failureOf(whole), '');
  assert.equal(digestIn(whole), index.digest);
  assert.ok((await manifestAt(registry, 'multi', '1')).equals(index.bytes));
  assert.ok((await manifestAt(registry, 'multi', other.digest)).equals(other.manifest));
  const platform = JSON.stringify({ os: 'linux', architecture: foreign });
  assert.equal(digestIn(await push(engine, name, { tag: '1', platform })), other.digest);
  // Neither what the name means nor the platform itself gets that digest as a name.
  const rows = await engine.client.get<ImageSummary[]>('/images/json', { manifests: true });
  assert.ok(!rows.some((row) => row.RepoDigests.includes(`${name}@${other.digest}`)));
  assert.equal(rows.find((row) => row.RepoTags.includes(`${name}:1`))?.Manifests?.length, 2);
  await assertWhole(engine);
});

test('credentials are verified by login, needed by push and pull, and kept by the CLIs', async (t) => {
  const user = { name: 'ann', password: 'secret word' };
  const registry = await startDockerRegistry(t, { user });
  const name = `${registry.host}/private`;
  await importImage(t, name, '1');
  const auth = (password: string): Record<string, string> => ({
    username: user.name,
    password,
    serveraddress: registry.host,
  });
  assert.deepEqual(await engine.client.post('/auth', {}, { json: auth(user.password) }), {
    IdentityToken: '',
    Status: 'Login Succeeded',
  });
  await refuses(engine.client.post('/auth', {}, { json: auth('wrong') }), [401, 500], /401 Unauthorized|unauthorized/);
  assert.match(failureOf(await push(engine, name, { tag: '1' })), /no basic auth credentials/);
  const header = { 'x-registry-auth': Buffer.from(JSON.stringify(auth(user.password))).toString('base64') };
  assert.equal(failureOf(await push(engine, name, { tag: '1' }, header)), '');
  await refuses(pull(engine, name, { tag: '1' }), 500, /no basic auth credentials/);
  await pull(engine, name, { tag: '1' }, { headers: header });
  const directory = mkdtempSync('/var/tmp/berth-cli-config-');
  t.after(() => rmSync(directory, { recursive: true }));
  for (const [program, leading] of [
    [berthCli, ['-H', engine.host]],
    [dockerCliPath(), ['-H', engine.host]],
  ] as const) {
    writeFileSync(join(directory, 'config.json'), '{}');
    const run = (args: string[], stdin = ''): ReturnType<typeof runProgram> =>
      runProgram(program, [...leading, ...args], {
        stdin,
        env: { DOCKER_CONFIG: directory, DOCKER_HOST: engine.host },
      });
    const wrong = await run(['login', '-u', user.name, '--password-stdin', registry.host], 'wrong');
    assert.equal(wrong.exitCode, 1);
    const login = await run(['login', '-u', user.name, '--password-stdin', registry.host], user.password);
    assert.match(login.stdout, /Login Succeeded/, login.stderr);
    assert.ok(readFileSync(join(directory, 'config.json'), 'utf8').includes(registry.host));
    const pushed = await run(['push', `${name}:1`]);
    assert.equal(pushed.exitCode, 0, pushed.stderr);
    const logout = await run(['logout', registry.host]);
    assert.equal(logout.stdout, `Removing login credentials for ${registry.host}\n`);
    assert.equal((await run(['pull', `${name}:1`])).exitCode, 1);
  }
});

test('distribution tells what a registry has, and search that it cannot be searched', async (t) => {
  const registry = await startDockerRegistry(t);
  const image = await remoteImage(['seen']);
  await upload(registry.url, 'seen', image, ['1']);
  assert.deepEqual(await engine.client.get(`/distribution/${registry.host}/seen:1/json`), {
    Descriptor: { mediaType: image.mediaType, digest: image.digest, size: image.manifest.length },
    Platforms: [{ architecture: hostArchitecture, os: 'linux' }],
  });
  await refuses(engine.client.get(`/distribution/${registry.host}/seen:2/json`), 404, /manifest unknown/);
  await refuses(engine.client.get('/images/search', { term: `${registry.host}/x` }), [404, 500], /404/);
  await refuses(
    engine.client.get('/images/search', { term: 'x', limit: 101 }),
    400,
    /^Limit 101 is outside the range of \[1, 100\]$/,
  );
  assert.equal(digestOf(image.manifest), image.digest);
});
