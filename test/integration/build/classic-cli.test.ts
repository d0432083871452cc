import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contextFolder, dockerBuild } from '../../helpers/build.ts';
import { busybox } from '../../helpers/busybox-image.ts';
import { useEngine } from '../../helpers/engine.ts';

const engine = useEngine();

test('docker build prints its steps one after the other and tags the image', async (t) => {
  const folder = contextFolder(t, {
    Dockerfile: `FROM ${busybox}\nENV A=b\nCOPY file /w/\nRUN cat /w/file; echo wrong >&2\nCMD ["cat", "/w/file"]\n`,
    file: 'content\n',
  });
  const first = await dockerBuild(engine, ['-t', 'classic:one', '-t', 'classic:two', folder]);
  assert.equal(first.exitCode, 0, first.stderr);
  const shown = first.stdout
    .replaceAll(/\b[0-9a-f]{12}\b/g, 'ID')
    .split('\n')
    .slice(1);
  assert.deepEqual(shown, [
    `Step 1/5 : FROM ${busybox}`,
    ' ---> ID',
    'Step 2/5 : ENV A=b',
    ' ---> ID',
    'Step 3/5 : COPY file /w/',
    ' ---> ID',
    'Step 4/5 : RUN cat /w/file; echo wrong >&2',
    ' ---> Running in ID',
    'content',
    '\u001B[91mwrong',
    '\u001B[0mRemoving intermediate container ID',
    ' ---> ID',
    'Step 5/5 : CMD ["cat", "/w/file"]',
    ' ---> ID',
    'Successfully built ID',
    'Successfully tagged classic:one',
    'Successfully tagged classic:two',
    '',
  ]);
  const again = await dockerBuild(engine, ['-t', 'classic:one', folder]);
  assert.equal(again.stdout.match(/ ---> Using cache/g)?.length, 2);
  const run = await engine.docker(['run', '--rm', 'classic:two']);
  assert.equal(run.stdout, 'content\n');
});

test('docker build ends with the code of the command that failed', async () => {
  const failed = await dockerBuild(engine, ['-'], { stdin: `FROM ${busybox}\nRUN echo before; exit 7\n` });
  assert.equal(failed.exitCode, 7);
  assert.match(failed.stdout, /^before$/m);
  assert.match(failed.stderr, /The command '\/bin\/sh -c echo before; exit 7' returned a non-zero code: 7/);
});

test('docker build takes a Dockerfile from stdin beside a folder', async (t) => {
  const folder = contextFolder(t, { file: 'content' });
  const stdin = `FROM ${busybox}\nCOPY file /f\nRUN cat /f\n`;
  const beside = await dockerBuild(engine, ['-f', '-', folder], { stdin });
  assert.equal(beside.exitCode, 0, beside.stderr);
  assert.match(beside.stdout, /^content/m);
});
