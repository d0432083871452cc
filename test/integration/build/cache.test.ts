import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { BuildCacheEntry, ImageInspect, PruneBuildCacheResponse } from '#spec';
import { build, type BuildInput, type ContextFiles } from '../../helpers/build.ts';
import { busybox } from '../../helpers/busybox-image.ts';
import { useEngine } from '../../helpers/engine.ts';
import { until } from '../../helpers/until.ts';

const engine = useEngine();

/** How many steps came from the cache. */
async function hits(dockerfile: string, input: BuildInput = {}): Promise<number> {
  const { text, error } = await build(engine, dockerfile, input);
  assert.equal(error, undefined, text);
  return text.match(/ ---> Using cache/g)?.length ?? 0;
}

const copy = `FROM ${busybox}\nCOPY f /f\nRUN cat /f\n`;
const f = (own: Exclude<ContextFiles[string], string>): BuildInput => ({ files: { f: own } });

test('COPY is cached by content, mode and owner in the image, not by time', async () => {
  assert.equal(await hits(copy, f({ content: 'a' })), 0);
  assert.equal(await hits(copy, f({ content: 'a', mtimeNs: 1_700_000_000_000_000_000n })), 2);
  assert.equal(await hits(copy, f({ content: 'a', uid: 77 })), 2);
  assert.equal(await hits(copy, f({ content: 'b' })), 0);
  assert.equal(await hits(copy, f({ content: 'a', mode: 0o755 })), 0);
  assert.equal(await hits(copy, f({ content: 'a' })), 2);
});

test('a change of any flag or name of COPY is another step', async () => {
  const files: ContextFiles = { 'd/x': 'x', 'e/x': 'x' };
  assert.equal(await hits(`FROM ${busybox}\nCOPY d /t\n`, { files }), 0);
  assert.equal(await hits(`FROM ${busybox}\nCOPY d /t\n`, { files }), 1);
  assert.equal(await hits(`FROM ${busybox}\nCOPY d /u\n`, { files }), 0);
  assert.equal(await hits(`FROM ${busybox}\nCOPY --chown=1 d /t\n`, { files }), 0);
  assert.equal(await hits(`FROM ${busybox}\nCOPY --chmod=700 d /t\n`, { files }), 0);
  assert.equal(await hits(`FROM ${busybox}\nCOPY d /t\n`, { files: { 'd/y': 'x' } }), 0);
  assert.equal(
    await hits(`FROM ${busybox}\nCOPY d /t\n`, {
      files: { 'd/x': 'x', 'd/empty': { content: '', type: 'directory' } },
    }),
    0,
  );
});

test('RUN is cached by command, environment, user and arguments', async () => {
  const run = (before: string): string => `FROM ${busybox}\n${before}RUN echo value\n`;
  assert.equal(await hits(run('')), 0);
  assert.equal(await hits(run('')), 1);
  assert.equal(await hits(run('ENV A=1\n')), 0);
  assert.equal(await hits(run('USER 1\n')), 0);
  assert.equal(await hits(run('SHELL ["/bin/sh", "-ec"]\n')), 0);
  const arg = run('ARG V\n');
  assert.equal(await hits(arg, { query: { buildargs: '{"V":"1"}' } }), 0);
  assert.equal(await hits(arg, { query: { buildargs: '{"V":"2"}' } }), 0);
  assert.equal(await hits(arg, { query: { buildargs: '{"V":"1"}' } }), 1);
  assert.equal(await hits(run(''), { query: { buildargs: '{"http_proxy":"http://p:1"}' } }), 1);
  assert.equal(await hits(run(''), { query: { networkmode: 'none' } }), 0);
  assert.equal(await hits(run(''), { query: { extrahosts: 'a:1.2.3.4' } }), 0);
});

test('--no-cache runs everything again, and the next build finds what that made', async () => {
  const dockerfile = `FROM ${busybox}\nRUN cat /proc/sys/kernel/random/uuid > /id\n`;
  const first = await build(engine, dockerfile);
  const second = await build(engine, dockerfile, { query: { nocache: true } });
  const third = await build(engine, dockerfile);
  assert.notEqual(first.imageId, second.imageId);
  assert.equal(second.imageId, third.imageId);
});

test('a stage that ran anew and made the same leaves what stands on it cached', async () => {
  const dockerfile = (note: string): string =>
    `FROM ${busybox} AS one\nRUN echo ${note} && mkdir /o && echo same > /o/f && touch -d @0 /o /o/f\nFROM ${busybox}\nCOPY --from=one /o/f /f\nRUN cat /f\n`;
  await hits(dockerfile('first'));
  assert.equal(await hits(dockerfile('second')), 2);
});

test('secrets, bind mounts and cache mounts: content of binds counts', async () => {
  const dockerfile = `FROM ${busybox}\nRUN --mount=target=/ctx,source=f,target=/f cat /f\n`;
  assert.equal(await hits(dockerfile, f({ content: '1' })), 0);
  assert.equal(await hits(dockerfile, f({ content: '1' })), 1);
  assert.equal(await hits(dockerfile, f({ content: '2' })), 0);
});

test('SOURCE_DATE_EPOCH makes two builds the same image, to the last layer', async () => {
  const dockerfile = `FROM ${busybox}\nWORKDIR /w\nCOPY f .\nRUN date > /dev/null; echo x > made; mkdir -p d/e; rm /bin/true; ln made link\n`;
  const query = { buildargs: '{"SOURCE_DATE_EPOCH":"1700000000"}', nocache: true };
  const first = await build(engine, dockerfile, { ...f({ content: 'a', mtimeNs: 1_800_000_000_000_000_000n }), query });
  const second = await build(engine, dockerfile, {
    ...f({ content: 'a', mtimeNs: 1_900_000_000_000_000_000n }),
    query,
  });
  assert.equal(first.error ?? second.error, undefined, first.text + second.text);
  assert.equal(first.imageId, second.imageId);
  const { Created } = await engine.client.get<ImageInspect>(`/images/${first.imageId}/json`);
  assert.equal(Created, '2023-11-14T22:13:20Z');
});

async function entries(): Promise<BuildCacheEntry[]> {
  return (await engine.client.get<{ BuildCache: BuildCacheEntry[] }>('/system/df', { type: 'build-cache' })).BuildCache;
}

async function prune(query: Record<string, string | boolean | number>): Promise<PruneBuildCacheResponse> {
  return await engine.client.post<PruneBuildCacheResponse>('/build/prune', query);
}

test('df shows the cache, prune frees what no image shares, and with all everything', async () => {
  await prune({ all: true });
  assert.deepEqual(await entries(), []);
  await build(
    engine,
    `FROM ${busybox} AS one\nRUN head -c 100000 /dev/zero > /f\nFROM ${busybox}\nCOPY --from=one /bin/sh /s\n`,
    { query: { t: 'pruned' } },
  );
  const made = await entries();
  assert.deepEqual(made.map(({ Shared }) => String(Shared)).toSorted(), ['false', 'true']);
  assert.deepEqual(await prune({ filters: '{"until":["1h"]}' }), { CachesDeleted: null, SpaceReclaimed: 0 });
  assert.equal((await prune({ 'keep-storage': 10_000_000 })).CachesDeleted, null);
  const freed = await prune({});
  assert.equal(freed.CachesDeleted?.length, 1);
  assert.ok(freed.SpaceReclaimed > 100_000);
  assert.equal((await prune({ all: true })).CachesDeleted?.length, 1);
  assert.deepEqual(await entries(), []);
  // The image has its layers still.
  assert.equal((await engine.docker(['run', '--rm', 'pruned', 'ls', '/s'])).stdout, '/s\n');
});

test('folders of cache mounts are shown and pruned, but not under a step', async () => {
  await prune({ all: true });
  const mount = 'RUN --mount=type=cache,id=pruned,target=/c';
  await build(engine, `FROM ${busybox}\n${mount} head -c 5000 /dev/zero > /c/f\n`);
  const [shown] = (await entries()).filter(({ Type }) => Type === 'exec.cachemount');
  assert.equal(shown?.Size, 5000);
  let pruning: Promise<PruneBuildCacheResponse> | undefined;
  const { error, text } = await build(engine, `FROM ${busybox}\n${mount} echo begun; sleep 1; cat /c/f > /f\n`, {
    seen: (seen) => {
      if (seen.includes('begun\n')) pruning ??= prune({ filters: '{"type":["exec.cachemount"]}' });
    },
  });
  assert.equal(error, undefined, text);
  assert.equal((await pruning)?.CachesDeleted, null);
  assert.equal((await prune({ filters: '{"type":["exec.cachemount"]}' })).SpaceReclaimed, 5000);
  assert.match((await build(engine, `FROM ${busybox}\n${mount} ls /c/f || echo gone\n`)).text, /gone$/m);
});

test('docker builder prune and system df of the stock client', async () => {
  await build(engine, `FROM ${busybox}\nRUN echo stock > /x\n`);
  assert.match((await engine.docker(['system', 'df'])).stdout, /^Build Cache +[1-9]\d* /m);
  const { stdout } = await engine.docker(['builder', 'prune', '-af']);
  assert.match(stdout, /^Deleted build cache objects:\n[0-9a-z]+\n[^]*Total reclaimed space: /);
});

test('what daemon.json does not let stay goes after a build', async (t) => {
  const file = join(engine.daemon.dataRoot, '../daemon.json');
  t.after(() => writeFileSync(file, '{}'));
  writeFileSync(file, JSON.stringify({ builder: { gc: { policy: [{ all: true, keepStorage: '1KB' }] } } }));
  await engine.daemon.restart();
  await build(engine, `FROM ${busybox}\nRUN head -c 5000 /dev/zero > /x\n`);
  await until(async () => (await entries()).length === 0, { what: 'an empty cache' });
});
