import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { contextFolder, contextTar, imageLayers } from '../../helpers/build.ts';
import { busybox } from '../../helpers/busybox-image.ts';
import { type CliOptions, type CliResult, runProgram } from '../../helpers/docker-cli.ts';
import { useEngine } from '../../helpers/engine.ts';

const engine = useEngine();
const berth = join(import.meta.dirname, '../../../bin/berth');

async function build(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const env = { DOCKER_HOST: engine.host, DOCKER_CONTEXT: '', ...options.env };
  return await runProgram(berth, ['build', ...args], { ...options, env });
}

test('berth build sends a folder without what is ignored, and shows each step', async (t) => {
  const folder = contextFolder(t, {
    Dockerfile: `FROM ${busybox}\nCOPY . /x\nRUN echo said; printf rest\n`,
    '.dockerignore': 'no\n**/*.log\n!keep/this.log\nDockerfile\n',
    yes: 'y',
    'no/one': '1',
    'keep/this.log': 'kept',
    'keep/that.log': 'gone',
    '-odd name': 'o',
  });
  const iidfile = join(contextFolder(t, {}), 'iid');
  const { exitCode, stderr, stdout } = await build(['-t', 'berth-cli:built', '--iidfile', iidfile, folder]);
  assert.equal(exitCode, 0, stderr);
  assert.equal(stdout, '');
  assert.match(stderr, /^#1 \[2\/3\] COPY \. \/x\n#1 DONE \d+\.\ds\n\n#2 \[3\/3\] RUN echo said; printf rest\n/m);
  assert.match(stderr, /^#2 \d+\.\d{3} said\n#2 \d+\.\d{3} rest\n#2 DONE/m);
  const imageId = readFileSync(iidfile, 'utf8');
  const layers = await imageLayers(engine, imageId);
  assert.deepEqual(layers[1], [
    'directory 755 0:0 x/',
    'directory 755 0:0 x/keep/',
    'file 644 0:0 x/-odd name "o"',
    'file 644 0:0 x/.dockerignore "no\\n**/*.log\\n!keep/this.log\\nDockerfile\\n"',
    'file 644 0:0 x/keep/this.log "kept"',
    'file 644 0:0 x/yes "y"',
  ]);
  const again = await build(['-q', folder]);
  assert.deepEqual(again, { exitCode: 0, stdout: `${imageId}\n`, stderr: '' });
});

test('berth build ends with the code of the command that failed', async () => {
  const failed = await build(['-'], { stdin: `FROM ${busybox}\nRUN echo why; exit 9\n` });
  assert.equal(failed.exitCode, 9);
  assert.match(failed.stderr, /^#1 \d+\.\d+ why$/m);
  assert.match(failed.stderr, /returned a non-zero code: 9/);
});

test('berth build takes an archive from stdin, and a Dockerfile from outside', async (t) => {
  const tar = await contextTar({ Dockerfile: `FROM ${busybox}\nCOPY f /f\nRUN cat /f\n`, f: 'from the archive' });
  const folder = contextFolder(t, {
    'context/f': 'from the folder',
    'other/Dockerfile': `FROM ${busybox}\nCOPY f /f\nRUN cat /f\n`,
    tar: '',
  });
  const path = join(folder, 'context.tar');
  execFileSync('sh', ['-c', `cat > ${path}`], { input: tar });
  const env = { ...process.env, DOCKER_HOST: engine.host, DOCKER_CONTEXT: '' };
  const piped = execFileSync('sh', ['-c', `${berth} build --no-cache - < ${path} 2>&1`], { encoding: 'utf8', env });
  assert.match(piped, /from the archive/);
  const outside = await build(['-f', join(folder, 'other/Dockerfile'), join(folder, 'context')]);
  assert.match(outside.stderr, /from the folder/);
});

test('a secret reaches its step and nothing else', async (t) => {
  const value = 'hidden-3f9c1';
  const folder = contextFolder(t, {
    Dockerfile: `FROM ${busybox}\nRUN --mount=type=secret,id=file --mount=type=secret,id=env,env=TOKEN wc -c < /run/secrets/file; echo $TOKEN | wc -c; ls -ln /run/secrets/file\nRUN ls /run/secrets 2>&1 || true\n`,
    'outside/secret': value,
  });
  const args = [
    '--secret',
    `id=file,src=${join(folder, 'outside/secret')}`,
    '--secret',
    'id=env,env=OWN',
    '-t',
    'berth-cli:secret',
  ];
  const { exitCode, stderr } = await build([...args, '-f', join(folder, 'Dockerfile'), contextFolder(t, {})], {
    env: { OWN: value },
  });
  assert.equal(exitCode, 0, stderr);
  assert.match(stderr, / 12$[^]* 13$[^]*-r-------- +1 0 +0 +12 /m);
  const saved = await engine.client.send({ method: 'GET', path: '/images/berth-cli:secret/get' });
  const chunks: Uint8Array[] = [];
  for await (const chunk of saved) chunks.push(chunk);
  assert.ok(!Buffer.concat(chunks).includes(value));
  assert.ok(!engine.daemon.log().includes(value));
  const { dataRoot, execRoot } = engine.daemon;
  const found = await runProgram('grep', ['-rlF', '--exclude-dir=merged', value, dataRoot, execRoot]);
  assert.equal(found.stdout, '');
});

test('a required secret that nobody gives fails the build', async () => {
  const { exitCode, stderr } = await build(['-'], {
    stdin: `FROM ${busybox}\nRUN --mount=type=secret,id=s,required=true true\n`,
  });
  assert.notEqual(exitCode, 0);
  assert.match(stderr, /secret s: not found/);
});

test('named contexts: folders and images', async (t) => {
  const folder = contextFolder(t, { 'main/a': 'a', 'other/b': 'b' });
  const dockerfile = `FROM base\nCOPY a /\nCOPY --from=other b /\nRUN cat /a /b\n`;
  const { exitCode, stderr } = await build(
    [
      '-f',
      '-',
      '--build-context',
      `other=${join(folder, 'other')}`,
      '--build-context',
      `base=docker-image://${busybox}`,
      join(folder, 'main'),
    ],
    { stdin: dockerfile },
  );
  assert.equal(exitCode, 0, stderr);
  assert.match(stderr, /^#3 \d+\.\d+ ab$/m);
});

test('--check tells what it thinks of the Dockerfile and builds nothing', async () => {
  const bad = await build(['--check', '-'], { stdin: `FROM ${busybox} AS Upper\nRUN exit 1\nCMD shell form\n` });
  assert.notEqual(bad.exitCode, 0);
  assert.match(bad.stderr, /StageNameCasing[^]*JSONArgsRecommended[^]*Check complete, 2 warnings have been found!/);
  const good = await build(['--check', '-'], { stdin: `FROM ${busybox}\nRUN exit 1\n` });
  assert.deepEqual(good, { exitCode: 0, stdout: 'Check complete, no warnings found.\n', stderr: '' });
});

test('--no-cache-filter runs the stages that it names anew', async () => {
  const stdin = `FROM ${busybox} AS one\nRUN echo 1\nFROM ${busybox} AS two\nRUN echo 2\nFROM one\nCOPY --from=two /bin/sh /s\n`;
  await build(['-'], { stdin });
  const { stderr } = await build(['--no-cache-filter', 'two', '-'], { stdin });
  assert.match(stderr, /#1 \[one 2\/2\] RUN echo 1\n#1 CACHED/);
  assert.doesNotMatch(stderr, /#2 CACHED/);
});
