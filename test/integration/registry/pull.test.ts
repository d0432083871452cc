import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProgressLine } from '#spec';
import { refuses, useEngine } from '../../helpers/engine.ts';
import { startDockerRegistry } from '../../helpers/docker-registry.ts';
import { berthOnly, isBerth } from '../../helpers/target.ts';
import { until } from '../../helpers/until.ts';
import { ImageServer } from './image-server.ts';
import { digestOf, entryOf, hostArchitecture, indexOf, remoteImage, short, upload } from './remote-images.ts';
import { assertWhole, failureOf, inspectImage, pull, removeImage, removeImageAfter, texts } from './transfer.ts';

const engine = useEngine();
const foreign = hostArchitecture === 'arm64' ? 's390x' : 'arm64';

test('pull tells what dockerd tells, and a second pull that nothing is new', async (t) => {
  const registry = await startDockerRegistry(t);
  const image = await remoteImage(['one', 'two'], { labels: { colour: 'green' } });
  await upload(registry.url, 'pull/app', image, ['1']);
  const name = `${registry.host}/pull/app`;
  removeImageAfter(t, engine, `${name}:1`);
  const events = await engine.events(t, { type: ['image'] });
  const lines = texts(await pull(engine, name, { tag: '1' }));
  const [first = '', second = ''] = image.layers.map(short);
  assert.deepEqual(lines.slice(0, 3), [
    '1: Pulling from pull/app',
    `${first}: Pulling fs layer`,
    `${second}: Pulling fs layer`,
  ]);
  for (const layer of [first, second]) {
    const own = lines.filter((line) => line.startsWith(layer)).map((line) => line.slice(layer.length + 2));
    assert.deepEqual(
      own.filter((text) => text !== 'Waiting'),
      ['Pulling fs layer', 'Verifying Checksum', 'Download complete', 'Pull complete'],
    );
  }
  assert.ok(lines.indexOf(`${first}: Pull complete`) < lines.indexOf(`${second}: Pull complete`));
  assert.deepEqual(lines.slice(-2), [`Digest: ${image.digest}`, `Status: Downloaded newer image for ${name}:1`]);
  assert.deepEqual(texts(await pull(engine, name, { tag: '1' })), [
    '1: Pulling from pull/app',
    `Digest: ${image.digest}`,
    `Status: Image is up to date for ${name}:1`,
  ]);
  const { Id, RepoTags, RepoDigests } = await inspectImage(engine, `${name}:1`);
  assert.deepEqual(
    { Id, RepoTags, RepoDigests },
    {
      Id: image.id,
      RepoTags: [`${name}:1`],
      RepoDigests: [`${name}@${image.digest}`],
    },
  );
  const event = await events.action('pull', `${name}:1`);
  assert.deepEqual(event.Actor.Attributes, { colour: 'green', name });
  await assertWhole(engine);
});

test('progress lines have their fields in the order and form of Docker', async (t) => {
  const server = await ImageServer.start(t);
  const image = await remoteImage(['x'.repeat(100)]);
  server.add(image, 'latest');
  const name = `${server.host}/form`;
  removeImageAfter(t, engine, `${name}:latest`);
  const response = await engine.client.send({
    method: 'POST',
    path: '/images/create',
    query: { fromImage: name, tag: 'latest' },
  });
  const text = await response.text();
  const id = short(image.layers[0] ?? '');
  assert.ok(text.startsWith('{"status":"Pulling from form","id":"latest"}\r\n'));
  assert.ok(text.includes(`{"status":"Pulling fs layer","progressDetail":{},"id":"${id}"}\r\n`));
  const bar = text.split('\r\n').findLast((line) => line.includes('"Downloading"')) ?? '';
  assert.match(
    bar,
    /^\{"status":"Downloading","progressDetail":\{"current":\d+,"total":\d+\},"progress":"\[=*\\u003e *\] +[\d.]+k?B\/[\d.]+k?B","id":"[0-9a-f]{12}"\}$/,
  );
});

test('pull takes all tags, and images by digest', async (t) => {
  const registry = await startDockerRegistry(t);
  const [one, two] = [await remoteImage(['a']), await remoteImage(['b'])];
  await upload(registry.url, 'all', one, ['1', 'one']);
  await upload(registry.url, 'all', two, ['2']);
  const name = `${registry.host}/all`;
  removeImageAfter(t, engine, one.id, two.id);
  const lines = texts(await pull(engine, name));
  assert.deepEqual(
    lines.filter((line) => line.endsWith('Pulling from all')).toSorted(),
    ['1', '2', 'one'].map((tag) => `${tag}: Pulling from all`),
  );
  assert.equal(lines.at(-1), `Status: Downloaded newer image for ${name}`);
  assert.deepEqual((await inspectImage(engine, `${name}:one`)).RepoTags, [`${name}:1`, `${name}:one`]);
  await removeImage(engine, two.id);
  const byDigest = texts(await pull(engine, name, { tag: two.digest }));
  assert.equal(byDigest[0], `${name}@${two.digest}: Pulling from all`);
  assert.deepEqual(byDigest.slice(-2), [
    `Digest: ${two.digest}`,
    `Status: Downloaded newer image for ${name}@${two.digest}`,
  ]);
  assert.equal((await inspectImage(engine, `${name}@${two.digest}`)).Id, two.id);
});

test('what cannot be pulled is refused with a status and the words of Docker', async (t) => {
  const registry = await startDockerRegistry(t);
  await upload(registry.url, 'there', await remoteImage(['a']), ['1']);
  const name = `${registry.host}/there`;
  await refuses(
    pull(engine, name, { tag: 'none' }),
    404,
    /^manifest for 127\.0\.0\.1:\d+\/there:none not found: manifest unknown: manifest unknown$/,
  );
  await refuses(
    pull(engine, `${registry.host}/none`),
    404,
    /^repository 127\.0\.0\.1:\d+\/none not found: name unknown: repository name not known to registry$/,
  );
  await refuses(
    pull(engine, '127.0.0.1:1/a', { tag: '1' }),
    [500, 503],
    /^Get "http:\/\/127\.0\.0\.1:1\/v2\/": dial tcp 127\.0\.0\.1:1: connect: connection refused$/,
  );
  await refuses(pull(engine, name, { tag: 'a:b' }), 400, /^invalid tag format$/);
  await refuses(pull(engine, 'AAA', { tag: '1' }), 400, /repository name.* must be lowercase/);
});

test('pull chooses from an index what runs here, or what is asked for', async (t) => {
  const server = await ImageServer.start(t);
  const own = await remoteImage(['own']);
  const other = await remoteImage(['other'], { architecture: foreign });
  for (const image of [own, other]) server.add(image);
  const attestation = {
    ...entryOf(await remoteImage(['none']), 'unknown'),
    annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
  };
  const index = indexOf([attestation, entryOf(other, foreign), entryOf(own, hostArchitecture)]);
  server.addIndex(index, 'multi');
  const nested = indexOf([
    { mediaType: 'application/vnd.oci.image.index.v1+json', digest: index.digest, size: index.bytes.length },
  ]);
  server.addIndex(nested, 'nested');
  const name = `${server.host}/chosen`;
  removeImageAfter(t, engine, `${name}:multi`, `${name}:nested`);
  const lines = texts(await pull(engine, name, { tag: 'multi' }));
  assert.equal(lines.at(-2), `Digest: ${index.digest}`);
  const inspected = await inspectImage(engine, `${name}:multi`);
  assert.equal(inspected.Architecture, hostArchitecture);
  assert.deepEqual(inspected.RepoDigests, [`${name}@${index.digest}`]);
  await pull(engine, name, { tag: 'multi', platform: `linux/${foreign}` });
  assert.equal(server.asked(other.layers[0] ?? ''), 1);
  const missing = await pull(engine, name, { tag: 'multi', platform: 'linux/riscv64' });
  assert.match(failureOf(missing), /^no matching manifest for linux\/riscv64 in the manifest list entries/);
  // dockerd 20.10 looked no deeper.
  if (isBerth) assert.equal(failureOf(await pull(engine, name, { tag: 'nested' })), '');
  await removeImage(engine, `${name}:nested`);
  await removeImage(engine, `${name}:multi`);
  await assertWhole(engine);
});

test('what is no image, or is broken, is refused, and nothing of it stays', async (t) => {
  const server = await ImageServer.start(t);
  const good = await remoteImage(['first', 'second']);
  const name = `${server.host}/broken`;
  const failure = async (tag: string): Promise<string> => {
    try {
      return failureOf(await pull(engine, name, { tag }));
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  };
  server.add(good, 'digest');
  const [lower = '', upper = ''] = good.layers;
  server.hooks.set(upper, (response, bytes) => void response.end(Buffer.alloc(bytes.length, 'x')));
  assert.equal(await failure('digest'), `filesystem layer verification failed for digest ${upper}`);
  server.hooks.delete(upper);
  server.hooks.set(lower, (response) => void response.destroy());
  assert.notEqual(await failure('digest'), '');
  server.hooks.delete(lower);
  server.blobs.set(good.id, Buffer.alloc(server.blobs.get(good.id)?.length ?? 0, ' '));
  assert.equal(
    await failure('digest'),
    `error pulling image configuration: image config verification failed for digest ${good.id}`,
  );
  server.add(await remoteImage(['a', 'b'], { manifest: { layers: [] } }), 'count');
  assert.equal(await failure('count'), "layers from manifest don't match image configuration");
  const empty = { mediaType: 'application/vnd.oci.empty.v1+json', digest: good.id, size: 2 };
  server.add(await remoteImage([], { manifest: { config: empty } }), 'artifact');
  assert.match(
    await failure('artifact'),
    /^Encountered remote "application\/vnd\.oci\.empty\.v1\+json"\(unknown\) when fetching/,
  );
  const schema1 = Buffer.from(JSON.stringify({ schemaVersion: 1, name: 'x', tag: 'y', fsLayers: [], history: [] }));
  server.addDocument(schema1, 'application/vnd.docker.distribution.manifest.v1+prettyjws', 'schema1');
  assert.match(await failure('schema1'), /schema 1|schema1|schemaVersion/i);
  await assertWhole(engine);
  assert.equal(await failure('none'), `manifest for ${name}:none not found: manifest unknown: manifest unknown`);
});

test('two pulls of one layer fetch it once, both tell of it, and the end of one does not end the other', async (t) => {
  const server = await ImageServer.start(t);
  const image = await remoteImage(['shared']);
  server.add(image, '1');
  server.add(image, '2');
  const [layer = ''] = image.layers;
  const gate = Promise.withResolvers<void>();
  server.hooks.set(layer, async (response, bytes) => {
    response.write(bytes.subarray(0, 10));
    await gate.promise;
    response.end(bytes.subarray(10));
  });
  const name = `${server.host}/twice`;
  removeImageAfter(t, engine, image.id);
  const stop = new AbortController();
  const told = Promise.withResolvers<void>();
  const watch = (line: ProgressLine): void => (line.status === 'Pulling fs layer' ? told.resolve() : undefined);
  const first = pull(engine, name, { tag: '1' }, { signal: stop.signal, onLine: watch });
  first.catch(() => undefined);
  await told.promise;
  const joined = Promise.withResolvers<void>();
  const second = pull(
    engine,
    name,
    { tag: '2' },
    { onLine: (line) => line.status === 'Pulling fs layer' && joined.resolve() },
  );
  await joined.promise;
  stop.abort();
  await assert.rejects(first);
  gate.resolve();
  const lines = texts(await second);
  assert.equal(lines.at(-1), `Status: Downloaded newer image for ${name}:2`);
  assert.ok(lines.includes(`${short(layer)}: Download complete`));
  assert.equal(server.asked(layer), 1);
  await assertWhole(engine);
});

test('a pull whose client leaves ends, and nothing of it stays', berthOnly, async (t) => {
  const server = await ImageServer.start(t);
  const image = await remoteImage(['left', 'behind']);
  server.add(image, '1');
  const [layer = ''] = image.layers;
  const closed = Promise.withResolvers<void>();
  server.hooks.set(layer, (response, bytes) => {
    response.on('close', closed.resolve);
    response.write(bytes.subarray(0, 10));
  });
  const stop = new AbortController();
  const onLine = (line: ProgressLine): void =>
    line.status === 'Pull complete' || line.status === 'Download complete' ? stop.abort() : undefined;
  await assert.rejects(pull(engine, `${server.host}/left`, { tag: '1' }, { signal: stop.signal, onLine }));
  await closed.promise;
  server.hooks.delete(layer);
  // The same again goes well: nothing holds on to the transfer that was given up.
  removeImageAfter(t, engine, image.id);
  assert.equal(
    texts(await pull(engine, `${server.host}/left`, { tag: '1' })).at(-1),
    `Status: Downloaded newer image for ${server.host}/left:1`,
  );
  // What was being unpacked when the client left goes by itself.
  await until(() => assertWhole(engine).then(() => true), { what: 'a whole store' });
});

test('a download that breaks off goes on where it was', async (t) => {
  const server = await ImageServer.start(t);
  const image = await remoteImage(['y'.repeat(5000)]);
  server.add(image, '1');
  const [layer = ''] = image.layers;
  let broken = 0;
  server.hooks.set(layer, (response, bytes) => {
    broken += 1;
    if (broken === 1) {
      response.write(bytes.subarray(0, 20));
      setImmediate(() => response.destroy());
    } else response.end(bytes);
  });
  const name = `${server.host}/resumed`;
  removeImageAfter(t, engine, image.id);
  assert.equal(texts(await pull(engine, name, { tag: '1' })).at(-1), `Status: Downloaded newer image for ${name}:1`);
  await assertWhole(engine);
});

test('layers that are here are not fetched again', async (t) => {
  const server = await ImageServer.start(t);
  const base = await remoteImage(['base']);
  server.add(base, 'base');
  const name = `${server.host}/layers`;
  removeImageAfter(t, engine, base.id);
  await pull(engine, name, { tag: 'base' });
  const [layer = ''] = base.layers;
  // Another configuration over the same layer.
  const config = Buffer.from((base.blobs.get(base.id) ?? Buffer.alloc(0)).toString().replace('"/f0"', '"/f1"'));

  const manifest = Buffer.from(base.manifest.toString().replace(base.id, digestOf(config)));
  server.blobs.set(digestOf(config), config);
  server.addDocument(manifest, base.mediaType, 'next');
  removeImageAfter(t, engine, digestOf(config));
  const lines = texts(await pull(engine, name, { tag: 'next' }));
  assert.ok(lines.includes(`${short(layer)}: Already exists`), lines.join('\n'));
  assert.equal(server.asked(layer), 1);
});

test('docker run pulls what is missing; -q and -a work', async (t) => {
  const registry = await startDockerRegistry(t);
  const image = await remoteImage(['cli']);
  await upload(registry.url, 'cli', image, ['latest', '2']);
  const name = `${registry.host}/cli`;
  removeImageAfter(t, engine, image.id);
  const created = await engine.docker(['create', name]);
  assert.equal(created.exitCode, 0, created.stderr);
  assert.match(created.stderr, /Unable to find image '127\.0\.0\.1:\d+\/cli:latest' locally/);
  await engine.remove(created.stdout.trim());
  const quiet = await engine.docker(['pull', '-q', `${name}:2`]);
  assert.equal(quiet.stdout, `${name}:2\n`);
  const all = await engine.docker(['pull', '-a', name]);
  assert.equal(all.exitCode, 0, all.stderr);
});
