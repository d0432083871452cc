import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { build, buildTar, contextTar, imageLayers } from '../../helpers/build.ts';
import { busybox } from '../../helpers/busybox-image.ts';
import { useEngine } from '../../helpers/engine.ts';
import { until } from '../../helpers/until.ts';

const engine = useEngine();
const folder = mkdtempSync('/var/tmp/berth-test-remote-');
let server: Server;
let daemon: ChildProcess;
let http = '';
let git = '';
let commit = '';

before(async () => {
  const tar = await contextTar({ Dockerfile: `FROM ${busybox}\nCOPY f /f\n`, f: 'from http' });
  const served: Record<string, [body: Buffer, headers: Record<string, string>]> = {
    '/context.tar.gz': [gzipSync(tar), {}],
    '/Dockerfile': [Buffer.from(`FROM ${busybox}\nRUN echo alone\n`), { 'Content-Type': 'text/plain' }],
    '/file': [Buffer.from('content'), { 'Last-Modified': 'Tue, 14 Nov 2023 22:13:20 GMT' }],
    '/named': [Buffer.from('content'), { 'Content-Disposition': 'attachment; filename="../other.txt"' }],
  };
  server = createServer((request, response) => {
    const [body, headers] = served[request.url ?? ''] ?? [undefined, {}];
    response.writeHead(body === undefined ? 404 : 200, headers);
    response.end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  http = `http://127.0.0.1:${portOf(server)}`;
  await startGit();
});

after(async () => {
  server.close();
  daemon.kill('SIGKILL');
  await once(daemon, 'exit');
  rmSync(folder, { recursive: true, force: true });
});

function portOf(listening: { address(): AddressInfo | string | null }): number {
  const address = listening.address();
  assert.ok(typeof address === 'object' && address !== null);
  return address.port;
}

/** A repository with two commits, a tag, a branch, a hook and a folder. */
async function startGit(): Promise<void> {
  const repository = join(folder, 'repo.git');
  const inRepository = (...args: string[]): string =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], {
      cwd: repository,
      encoding: 'utf8',
    });
  mkdirSync(join(repository, 'sub'), { recursive: true });
  inRepository('init', '--quiet', '--initial-branch=main');
  writeFileSync(join(repository, 'Dockerfile'), `FROM ${busybox}\nCOPY f /f\n`);
  writeFileSync(join(repository, 'sub/Dockerfile'), `FROM ${busybox}\nCOPY g /g\n`);
  writeFileSync(join(repository, 'sub/g'), 'in the folder');
  writeFileSync(join(repository, 'f'), 'first');
  inRepository('add', '.');
  inRepository('commit', '--quiet', '-m', 'one');
  inRepository('tag', 'v1');
  commit = inRepository('rev-parse', 'HEAD').trim();
  writeFileSync(join(repository, 'f'), 'second');
  inRepository('commit', '--quiet', '-am', 'two');
  const probe = createTcpServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const port = portOf(probe);
  probe.close();
  await once(probe, 'close');
  const args = [
    'daemon',
    '--reuseaddr',
    '--export-all',
    `--base-path=${folder}`,
    '--listen=127.0.0.1',
    `--port=${port}`,
  ];
  daemon = spawn('git', args, { stdio: 'ignore' });
  await until(async () => await accepts(port), { what: 'the git daemon' });
  git = `git://127.0.0.1:${port}/repo.git`;
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

const nothing = Buffer.alloc(0);

async function lastLayer(remote: string): Promise<string> {
  const { imageId = '', error, text } = await buildTar(engine, nothing, { query: { remote } });
  assert.equal(error, undefined, text);
  return (await imageLayers(engine, imageId)).at(-1)?.join('\n') ?? '';
}

test('a context may be an archive at an address', async () => {
  assert.equal(await lastLayer(`${http}/context.tar.gz`), 'file 644 0:0 f "from http"');
});

test('a Dockerfile alone may be at an address', async () => {
  const { text } = await buildTar(engine, nothing, { query: { remote: `${http}/Dockerfile` } });
  assert.match(text, /^alone$/m);
});

test('what is not there is told with its address', async () => {
  const failed = buildTar(engine, nothing, { query: { remote: `${http}/nope` } });
  await assert.rejects(failed, /failed to GET http:.*\/nope: invalid response status 404/);
  await assert.rejects(buildTar(engine, nothing, { query: { remote: 'ftp://x' } }), /could not be recognized as URL/);
});

test('a context may be a repository, at a tag, a commit, a folder', async () => {
  assert.equal(await lastLayer(git), 'file 644 0:0 f "second"');
  assert.equal(await lastLayer(`${git}#v1`), 'file 644 0:0 f "first"');
  assert.equal(await lastLayer(`${git}#${commit}`), 'file 644 0:0 f "first"');
  assert.equal(await lastLayer(`${git}#main:sub`), 'file 644 0:0 g "in the folder"');
  assert.equal(await lastLayer(`${git}?branch=main&subdir=sub`), 'file 644 0:0 g "in the folder"');
  assert.equal(await lastLayer(`${git}?tag=v1&checksum=${commit.slice(0, 12)}`), 'file 644 0:0 f "first"');
});

test('a repository address is no option of git, and leads to no file of the host', async () => {
  const refuses = async (remote: string, why: RegExp): Promise<void> =>
    await assert.rejects(buildTar(engine, nothing, { query: { remote } }), why);
  await refuses(`${git}#--upload-pack=touch`, /invalid git reference/);
  await refuses(`${git}?tag=v1&checksum=${'0'.repeat(40)}`, /expected checksum to match/);
  await refuses(`${git}#v1:nope`, /subdirectory "nope" not found/);
  await refuses(`${git}?nope=1`, /unexpected query "nope"/);
  await refuses(`file://${folder}/repo.git`, /could not be recognized as URL/);
});

async function added(instruction: string): Promise<string[]> {
  const { imageId = '', error, text } = await build(engine, `FROM scratch\n${instruction}\n`);
  assert.equal(error, undefined, text);
  return (await imageLayers(engine, imageId)).at(-1) ?? [];
}

test('ADD of an address has mode 0600, a name, and the checksum that it must have', async () => {
  assert.deepEqual(await added(`ADD ${http}/file /x/`), ['directory 755 0:0 x/', 'file 600 0:0 x/file "content"']);
  assert.deepEqual(await added(`ADD ${http}/named /y/`), [
    'directory 755 0:0 y/',
    'file 600 0:0 y/other.txt "content"',
  ]);
  assert.deepEqual(await added(`ADD ${http}/file /z`), ['file 600 0:0 z "content"']);
  const digest = `sha256:${createHash('sha256').update('content').digest('hex')}`;
  assert.deepEqual(await added(`ADD --checksum=${digest} --chmod=644 ${http}/file /z`), ['file 644 0:0 z "content"']);
  const wrong = await build(engine, `FROM scratch\nADD --checksum=sha256:${'0'.repeat(64)} ${http}/file /z\n`);
  assert.match(wrong.error ?? '', /digest mismatch/);
});

test('ADD of an address has the time that the server tells', async () => {
  const dockerfile = `FROM ${busybox}\nADD ${http}/file /f\nRUN stat -c %Y /f\n`;
  assert.match((await build(engine, dockerfile)).text, /^1700000000$/m);
});

test('ADD of an archive at an address is unpacked only when told', async () => {
  const [first = ''] = await added(`ADD ${http}/context.tar.gz /c`);
  assert.match(first, /^file 600 0:0 c/);
  assert.ok((await added(`ADD --unpack=true ${http}/context.tar.gz /c/`)).includes('file 644 0:0 c/f "from http"'));
});

test('ADD of a repository brings its files, and .git only when told', async () => {
  const plain = await added(`ADD ${git}#v1 /r`);
  assert.ok(plain.includes('file 644 0:0 r/f "first"'), plain.join('\n'));
  assert.ok(!plain.some((entry) => entry.includes('.git')));
  const kept = await added(`ADD --keep-git-dir=true ${git}#v1 /r`);
  assert.ok(kept.some((entry) => entry.includes('r/.git/HEAD')));
});
