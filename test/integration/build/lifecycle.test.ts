import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { build, buildTar, contextTar } from '../../helpers/build.ts';
import { busybox } from '../../helpers/busybox-image.ts';
import { useEngine } from '../../helpers/engine.ts';
import { until } from '../../helpers/until.ts';

const engine = useEngine();

/** Processes that have the text among their arguments. */
function processesWith(text: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(text);
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** Nothing of any build is left. */
async function assertClean(): Promise<void> {
  const { dataRoot, execRoot } = engine.daemon;
  const left = (): string[] => [
    ...readdirSync(join(execRoot, 'steps')),
    ...readdirSync(join(execRoot, 'netns')),
    ...readdirSync(join(execRoot, 'build')),
    ...readdirSync(join(dataRoot, 'build/contexts')),
    ...readdirSync(join(dataRoot, 'build/work')),
    ...readdirSync(join(dataRoot, 'store/rw')),
    ...readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .filter((line) => line.includes(dataRoot)),
  ];
  await until(() => left().length === 0, {
    what: `nothing left of builds, not ${left().join('\n')}`,
    timeoutMs: 5_000,
  });
  const { problems } = await engine.client.get<{ problems: string[] }>('/berth/fsck');
  assert.deepEqual(problems, []);
}

const sleep = (mark: string): string => `FROM ${busybox}\nRUN echo begun; sleep ${mark} & sleep ${mark}`;

test('a client that goes stops the running steps', async () => {
  const gone = new AbortController();
  const building = build(engine, sleep('86391'), {
    signal: gone.signal,
    seen: (text) => {
      if (text.includes('begun\n')) gone.abort();
    },
  });
  await assert.rejects(building);
  await until(() => processesWith('86391').length === 0, { what: 'the end of the step' });
  await assertClean();
});

test('POST /build/cancel stops the build of that ID', async () => {
  let cancelled: Promise<unknown> | undefined;
  const answer = await build(engine, sleep('86392'), {
    query: { buildid: 'mine' },
    seen: (text) => {
      if (text.includes('begun\n')) cancelled ??= engine.client.post('/build/cancel', { id: 'mine' });
    },
  });
  await cancelled;
  assert.match(answer.error ?? '', /cancelled/i);
  assert.deepEqual(processesWith('86392'), []);
  await assertClean();
});

test('a daemon killed during a step removes what is left of it at the next start', async () => {
  const killed = Promise.withResolvers<void>();
  const building = build(engine, sleep('86393'), {
    seen: (text) => {
      if (text.includes('begun\n')) killed.resolve(engine.daemon.kill9());
    },
  });
  await assert.rejects(building);
  await killed.promise;
  await engine.daemon.launch();
  assert.deepEqual(processesWith('86393'), []);
  await assertClean();
});

test('a failed build keeps its finished steps, also over a restart', async () => {
  const dockerfile = (last: string): string => `FROM ${busybox}\nRUN echo kept > /kept\nRUN ${last}\n`;
  const failed = await build(engine, dockerfile('exit 5'));
  assert.equal(failed.code, 5);
  await engine.daemon.restart();
  const next = await build(engine, dockerfile('cat /kept'));
  assert.equal(next.error, undefined);
  assert.match(next.text, /RUN echo kept > \/kept\n ---> Using cache/);
  await assertClean();
});

test('stages that do not need each other run at the same time', async () => {
  const waits = (own: string, other: string): string =>
    `RUN --mount=type=cache,id=meet,target=/m touch /m/${own}; for i in $(seq 100); do [ -e /m/${other} ] && exit 0; sleep 0.1; done; exit 1`;
  const answer = await build(
    engine,
    `FROM ${busybox} AS one\n${waits('one', 'two')}\nFROM ${busybox} AS two\n${waits('two', 'one')}\nFROM scratch\nCOPY --from=one /bin/sh /1\nCOPY --from=two /bin/sh /2\n`,
  );
  assert.equal(answer.error, undefined, answer.text);
});

test('a step that two builds want at the same time runs once', async () => {
  const dockerfile = `FROM ${busybox}\nRUN --mount=type=cache,id=once,target=/m echo ran >> /m/log; sleep 1; cat /m/log > /log\n`;
  const answers = await Promise.all([build(engine, dockerfile), build(engine, dockerfile), build(engine, dockerfile)]);
  for (const { error, text } of answers) assert.equal(error, undefined, text);
  const check = await build(engine, `FROM ${busybox}\nRUN --mount=type=cache,id=once,target=/m cat /m/log\n`);
  assert.equal(check.text.match(/^ran$/gm)?.length, 1, check.text);
});

test('an image for one platform is no base for another', async () => {
  const query = { platform: 'linux/s390x' };
  const refused = /its platform \(linux\/a\w+\) does not match the specified platform \(linux\/s390x\)/;
  await assert.rejects(build(engine, `FROM ${busybox}\nRUN true\n`, { query }), refused);
});

test('one of two builds that wait for a step may go; both see what it prints', async () => {
  const dockerfile = `FROM ${busybox}\nRUN echo begun; sleep 1; echo done\n`;
  const gone = new AbortController();
  const first = build(engine, dockerfile, {
    signal: gone.signal,
    seen: (text) => {
      if (text.includes('begun\n')) gone.abort();
    },
  });
  const second = build(engine, dockerfile, {});
  await assert.rejects(first);
  const { error, text } = await second;
  assert.equal(error, undefined, text);
  assert.match(text, /begun\n(?:.*\n)*.*done\n/);
  await assertClean();
});

for (const name of ['build-layer-packed', 'build-layer-added', 'build-step-cached', 'build-image-adding']) {
  test(`a daemon killed at ${name} leaves nothing half made`, async () => {
    const dockerfile = `FROM ${busybox}\nRUN echo ${name} > /${name}\nCOPY f /f\n`;
    await engine.daemon.terminate();
    await engine.daemon.launch({ BERTH_FAILPOINTS: name });
    await assert.rejects(build(engine, dockerfile, { files: { f: name } }));
    await engine.daemon.exited();
    await engine.daemon.launch();
    await assertClean();
    const { error, text } = await build(engine, dockerfile, { files: { f: name } });
    assert.equal(error, undefined, text);
    await assertClean();
  });
}

test('a daemon killed while it prunes the cache has a whole cache afterwards', async () => {
  const dockerfile = `FROM ${busybox}\nRUN echo pruned > /x\n`;
  await build(engine, dockerfile);
  await engine.daemon.terminate();
  await engine.daemon.launch({ BERTH_FAILPOINTS: 'build-cache-pruned' });
  await assert.rejects(engine.client.post('/build/prune', { all: true }));
  await engine.daemon.exited();
  await engine.daemon.launch();
  await assertClean();
  assert.equal((await build(engine, dockerfile)).error, undefined);
});

test('a context that is cut off is refused and nothing of it stays', async () => {
  const tar = await contextTar({ Dockerfile: `FROM ${busybox}\nRUN true\n`, big: 'x'.repeat(100_000) });
  await assert.rejects(buildTar(engine, tar.subarray(0, 60_000)), /unexpected EOF: the archive ends inside/);
  await assertClean();
});

test('a context that leads outside is refused', async () => {
  const tar = await contextTar({
    Dockerfile: `FROM ${busybox}\nCOPY . /x\n`,
    escape: { content: '', type: 'symlink', linkName: '/var/tmp' },
    'escape/berth-escaped': 'x',
  });
  const { text } = await buildTar(engine, tar).catch((error: unknown) => ({ text: String(error) }));
  assert.ok(!readdirSync('/var/tmp').includes('berth-escaped'), text);
  await assertClean();
});
