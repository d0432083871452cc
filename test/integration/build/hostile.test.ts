import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { build, buildTar, type ContextFiles, contextTar, imageLayers } from '../../helpers/build.ts';
import { busybox } from '../../helpers/busybox-image.ts';
import { useEngine } from '../../helpers/engine.ts';

const engine = useEngine();
/** A file of the host that no build may read, change or remove. */
const canary = '/var/tmp/berth-build-canary';

const link = (linkName: string): ContextFiles[string] => ({ content: '', type: 'symlink', linkName });

async function withCanary(work: () => Promise<void>): Promise<void> {
  writeFileSync(canary, 'of the host');
  try {
    await work();
    assert.equal(readFileSync(canary, 'utf8'), 'of the host');
  } finally {
    rmSync(canary, { force: true });
  }
}

test('links in a context lead to nothing of the host: COPY, ADD, mounts, the Dockerfile, ignore files', async () => {
  await withCanary(async () => {
    const files: ContextFiles = { abs: link(canary), up: link(`../../../../../../..${canary}`), root: link('/') };
    for (const instruction of [
      'COPY abs /x',
      'COPY up /x',
      `COPY root${canary} /x`,
      'ADD abs /x',
      'RUN --mount=source=abs,target=/x cat /x',
      `RUN --mount=source=root${canary},target=/x cat /x`,
    ]) {
      const { error, text } = await build(engine, `FROM ${busybox}\n${instruction}\n`, { files });
      assert.match(error ?? '', /not found/, `${instruction}: ${text}`);
      assert.ok(!text.includes('of the host'));
    }
    const tar = await contextTar({ Dockerfile: link(canary) });
    await assert.rejects(buildTar(engine, tar), /Cannot locate specified Dockerfile/);
    await assert.rejects(
      buildTar(engine, tar, { query: { dockerfile: `../../../../../..${canary}` } }),
      /forbidden path/,
    );
    const ignored = await build(engine, `FROM scratch\nCOPY a /\n`, {
      files: { '.dockerignore': link(canary), a: 'a' },
    });
    assert.equal(ignored.error, undefined);
  });
});

test('links in a stage lead to nothing of the host: COPY --from, mounts, destinations, WORKDIR, ADD', async () => {
  await withCanary(async () => {
    const stage = `FROM ${busybox} AS evil\nRUN ln -s ${canary} /abs && ln -s ../../../../../../../..${canary} /up && ln -s /var/tmp /dir\n`;
    for (const last of [
      'COPY --from=evil /abs /x',
      'COPY --from=evil /up /x',
      'COPY --from=evil /dir/berth-build-canary /x',
    ]) {
      const { error } = await build(engine, `${stage}FROM ${busybox}\n${last}\n`);
      assert.match(error ?? '', /not found/, last);
    }
    const mounted = await build(
      engine,
      `${stage}FROM ${busybox}\nRUN --mount=from=evil,source=/abs,target=/x cat /x\n`,
    );
    assert.match(mounted.error ?? '', /not found/);
    const files: ContextFiles = { f: 'written', 'd/berth-build-canary': 'written' };
    for (const last of [
      'COPY f /abs',
      'COPY f /dir/berth-build-canary',
      'COPY d /dir',
      'COPY d /dir/',
      'WORKDIR /dir/berth-escaped',
      'ADD f /up',
      'RUN --mount=type=cache,target=/dir/berth-escaped true',
      'RUN --mount=type=tmpfs,target=/up/x true',
    ]) {
      const { text } = await build(engine, `${stage}${last}\n`, { files });
      assert.equal(readFileSync(canary, 'utf8'), 'of the host', `${last}: ${text}`);
      assert.ok(!existsSync('/var/tmp/berth-escaped'), last);
    }
  });
});

test('the clean-up of mount points removes nothing of the host, whatever a step put in its place', async () => {
  await withCanary(async () => {
    const script = `mkdir -p /a && rm -rf /m 2>/dev/null; mv /m /n 2>/dev/null; ln -s /var/tmp /a/link; true`;
    const dockerfile = `FROM ${busybox}\nRUN --mount=type=cache,id=h,target=/deep/berth-build-canary (umount /deep/berth-build-canary; mv /deep /gone; ln -s /var/tmp /deep; ${script})\n`;
    const { text } = await build(engine, dockerfile);
    assert.ok(existsSync(canary), text);
  });
});

test('archives that lead outside are refused or stay inside', async () => {
  await withCanary(async () => {
    const bad = [
      { '../../../../../../../var/tmp/berth-escaped': 'x' },
      { '/var/tmp/berth-escaped': 'x' },
      { l: link('/var/tmp'), 'l/berth-escaped': 'x' },
    ];
    for (const inner of bad) {
      const archive = await contextTar(inner);
      const files: ContextFiles = { 'a.tar': { content: archive as unknown as string } };
      await build(engine, `FROM scratch\nADD a.tar /x/\n`, { files }).catch(() => undefined);
      await buildTar(engine, await contextTar({ Dockerfile: 'FROM scratch\nCOPY . /\n', ...inner })).catch(
        () => undefined,
      );
      assert.ok(!existsSync('/var/tmp/berth-escaped'));
    }
  });
});

test('Dockerfiles that are none are refused in a clear sentence', async () => {
  const refused = async (text: string, why: RegExp): Promise<void> => await assert.rejects(build(engine, text), why);
  await refused('', /the Dockerfile \(Dockerfile\) cannot be empty/);
  await refused('\0\u0001\u0002', /null bytes|no text/);
  await refused('x'.repeat(100_000), /unknown instruction/);
  await refused(`FROM ${busybox}\nRUN <<EOF\nno end`, /unterminated heredoc/);
  await refused('RUN true', /no build stage in current context/);
});

test('WORKDIR in /proc/self/fd gives no step a way to the host', async () => {
  for (const fd of [3, 4, 5, 6, 7, 8, 9]) {
    const { text } = await build(
      engine,
      `FROM ${busybox}\nWORKDIR /proc/self/fd/${fd}\nRUN ls ../../../../../var/tmp\n`,
    ).catch((error: unknown) => ({ text: String(error) }));
    assert.ok(!text.includes('berth-test-'), text);
  }
});

test('steps have no descriptors of ours', async () => {
  const { text } = await build(engine, `FROM ${busybox}\nRUN ls -l /proc/self/fd\n`);
  const shown = [...text.matchAll(/ (\d+) -> (\S+)$/gm)].map(([, fd, to]) => `${fd} ${to}`);
  assert.ok(
    shown.every((line) => /^[012] (?:\/dev\/null|pipe:)|^3 \/proc\/\d+\/fd$/.test(line)),
    shown.join('\n'),
  );
});

test('a step cannot see or reach what other steps of the build are', async () => {
  const { text } = await build(
    engine,
    `FROM ${busybox}\nRUN ps | wc -l; cat /proc/1/cgroup | head -2; ls /proc | grep -c '^[0-9]'\n`,
  );
  assert.match(text, /^[2-9]$/m);
  assert.deepEqual(readdirSync(`${engine.daemon.execRoot}/steps`), []);
});

test("whatever a context says about owners, COPY makes its files root's", async () => {
  const { imageId = '' } = await build(engine, `FROM scratch\nCOPY f /f\n`, {
    files: { f: { content: 'f', uid: 4_000_000_000, gid: 77, mode: 0o4755 } },
  });
  assert.deepEqual((await imageLayers(engine, imageId)).at(-1), ['file 4755 0:0 f "f"']);
});
