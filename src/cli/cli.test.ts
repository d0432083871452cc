import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import packageJson from '../../package.json' with { type: 'json' };
import { type Answer, FakeDaemon, runWith } from './testing/fake-daemon.ts';
import { groups, singles } from './tree.ts';
import { clientVersion } from './version.ts';

const now = Math.floor(Date.now() / 1000);

const container = {
  Id: '15e01a8aa56f04af40855a8c2a8a6ec817fc19a73bf784cfe591bb5276ed1b1a',
  Names: ['/web', '/other/alias'],
  Image: 'busybox',
  ImageID: 'sha256:dad622d3302ccdefeb306279e1261ad920f21c48665fc87536a35e5cd2ad8904',
  Command: "sh -c 'while :; do sleep 1; done'",
  Created: now - 90,
  Ports: [{ IP: '0.0.0.0', PrivatePort: 80, PublicPort: 8080, Type: 'tcp' }],
  Labels: { b: '2', a: '1' },
  State: 'running',
  Status: 'Up About a minute',
  HostConfig: { NetworkMode: 'default' },
  NetworkSettings: { Networks: { bridge: {} } },
  Mounts: [],
};

const image = {
  Id: 'sha256:dad622d3302ccdefeb306279e1261ad920f21c48665fc87536a35e5cd2ad8904',
  ParentId: '',
  RepoTags: ['busybox:latest', 'localhost:5000/x:2'],
  RepoDigests: [],
  Created: now - 3 * 86400,
  Size: 1984230,
  SharedSize: -1,
  Labels: null,
  Containers: -1,
};

async function run(
  answers: Record<string, Answer>,
  argv: string,
  apiVersion?: string,
): Promise<{ code: number; out: string; err: string; daemon: FakeDaemon }> {
  await using daemon = await FakeDaemon.start(answers, apiVersion);
  const words = argv.match(/'[^']*'|\S+/g)?.map((word) => word.replaceAll("'", '')) ?? [];
  return { ...(await runWith(daemon.host, words)), daemon };
}

const list = { 'GET /containers/json': { json: [container] } };

test('ps prints a table, templates, JSON, ids', async () => {
  assert.equal(
    (await run(list, 'ps')).out,
    `CONTAINER ID   IMAGE     COMMAND                  CREATED              STATUS              PORTS                  NAMES
15e01a8aa56f   busybox   "sh -c 'while :; do …"   About a minute ago   Up About a minute   0.0.0.0:8080->80/tcp   web
`,
  );
  assert.equal((await run(list, 'container ls -q')).out, '15e01a8aa56f\n');
  assert.equal(
    (await run(list, "ps --no-trunc --format '{{.ID}} {{.Names}}'")).out,
    `${container.Id} web,other/alias\n`,
  );
  assert.equal(
    (await run(list, 'ps --format \'table {{.Label "a"}}\\t{{.Labels}}\'')).out,
    'a         LABELS\n1         a=1,b=2\n',
  );
  const json: unknown = JSON.parse((await run(list, 'ps --format json')).out);
  assert.ok(typeof json === 'object' && json !== null && 'Ports' in json);
  assert.equal(json.Ports, '0.0.0.0:8080->80/tcp');
});

test('ps asks with the flags given, and for sizes when the template shows them', async () => {
  const { daemon } = await run(list, 'ps -a -n 5 -f status=exited -f label=a=b');
  assert.deepEqual(daemon.seen[0]?.query, {
    all: '1',
    limit: '5',
    filters: '{"status":{"exited":true},"label":{"a=b":true}}',
  });
  const sized = await run(list, "ps --format '{{.Size}}'");
  assert.equal(sized.daemon.seen[0]?.query['size'], '1');
});

test('ps refuses a template before it asks anything', async () => {
  const { code, err, daemon } = await run(list, "ps --format '{{.Foo}}'");
  assert.equal(code, 1);
  assert.equal(
    err,
    'failed to execute template: template: :1:2: executing "" at <.Foo>: can\'t evaluate field Foo in type *formatter.ContainerContext\n',
  );
  assert.equal(daemon.seen.length, 0);
});

test('images prints a row per tag and passes the name as a filter', async () => {
  const { out, daemon } = await run({ 'GET /images/json': { json: [image] } }, 'images busybox', '1.41');
  assert.equal(
    out,
    `REPOSITORY         TAG       IMAGE ID       CREATED      SIZE
busybox            latest    dad622d3302c   3 days ago   1.98MB
localhost:5000/x   2         dad622d3302c   3 days ago   1.98MB
`,
  );
  assert.equal(daemon.seen[0]?.query['filters'], '{"reference":{"busybox":true}}');
});

test('inspect prints what was found, then what was not, and ends with 1', async () => {
  const answers = { 'GET /containers/web/json': { body: '{"Id":"x","State":{"Pid":1},"Args":[]}\n' } };
  assert.deepEqual(await run(answers, 'inspect web nope').then(({ code, out, err }) => ({ code, out, err })), {
    code: 1,
    out: '[\n    {\n        "Id": "x",\n        "State": {\n            "Pid": 1\n        },\n        "Args": []\n    }\n]\n',
    err: 'Error: No such object: nope\n',
  });
  assert.equal((await run(answers, "inspect -f '{{.Id}} {{.State.Pid}}' web")).out, 'x 1\n');
  const bad = await run(answers, "container inspect -f '{{.State.Foo}}' web");
  assert.equal(
    bad.err,
    'template parsing error: template: :1:8: executing "" at <.State.Foo>: map has no entry for key "Foo"\n',
  );
});

test('rmi names what went, and forgives absent images under --force', async () => {
  const answers = { 'DELETE /images/busybox': { json: [{ Untagged: 'busybox:latest' }, { Deleted: 'sha256:x' }] } };
  assert.equal((await run(answers, 'rmi busybox')).out, 'Untagged: busybox:latest\nDeleted: sha256:x\n');
  const absent = await run(answers, 'rmi -f nope');
  assert.deepEqual([absent.code, absent.err], [0, 'Error response from daemon: No such thing: /images/nope\n']);
});

test('pull shows progress and the whole name, and fails with the error inside the stream', async () => {
  const lines =
    '{"status":"Pulling from library/busybox","id":"latest"}\n{"status":"Downloading","progressDetail":{"current":1,"total":2},"id":"a"}\n';
  const good = await run({ 'POST /images/create': { body: lines } }, 'pull busybox');
  assert.equal(
    good.out,
    'Using default tag: latest\nlatest: Pulling from library/busybox\ndocker.io/library/busybox:latest\n',
  );
  assert.deepEqual(good.daemon.seen[0]?.query, { fromImage: 'busybox', tag: 'latest' });
  const bad = await run(
    { 'POST /images/create': { body: '{"errorDetail":{"message":"no space"},"error":"no space"}\n' } },
    'pull -q busybox',
  );
  assert.deepEqual([bad.code, bad.err], [1, 'no space\n']);
});

test('events keep every digit of the time', async () => {
  const body =
    '{"Type":"container","Action":"start","Actor":{"ID":"x","Attributes":{"name":"n","image":"i"}},"time":1795239245,"timeNano":1795239245930449619}\n';
  const answers = { 'GET /events': { body } };
  const { out } = await run(answers, 'events --since 1 --until 2');
  assert.match(out, /\.930449619(?:Z|[+-]\d\d:\d\d) container start x \(image=i, name=n\)\n$/);
  assert.equal((await run(answers, "events --format '{{.TimeNano}}'")).out, '1795239245930449619\n');
});

test('prune asks the API with the filters and sums up', async () => {
  const answers = { 'POST /containers/prune': { json: { ContainersDeleted: ['abc'], SpaceReclaimed: 1500 } } };
  const { out, daemon } = await run(answers, 'container prune -f --filter until=3h');
  assert.equal(out, 'Deleted Containers:\nabc\n\nTotal reclaimed space: 1.5kB\n');
  assert.equal(daemon.seen[0]?.query['filters'], '{"until":{"3h":true}}');
});

test('network create sorts addresses to their subnets', async () => {
  const answers = { 'POST /networks/create': { status: 201, json: { Id: 'n1' } } };
  const line = 'network create --subnet 10.9.0.0/24 --gateway 10.9.0.1 --aux-address h=10.9.0.7 -o a=b --label c net';
  const { out, daemon } = await run(answers, line);
  assert.equal(out, 'n1\n');
  const body: unknown = JSON.parse(daemon.seen[0]?.body ?? '');
  assert.ok(typeof body === 'object' && body !== null && 'IPAM' in body && 'Labels' in body);
  assert.deepEqual(body.IPAM, {
    Driver: 'default',
    Options: {},
    Config: [{ Subnet: '10.9.0.0/24', Gateway: '10.9.0.1', AuxiliaryAddresses: { h: '10.9.0.7' } }],
  });
  assert.deepEqual(body.Labels, { c: '' });
  const { err } = await run(answers, 'network create --gateway 1.2.3.4 net');
  assert.equal(err, 'every ip-range or gateway must have a corresponding subnet\n');
});

test('system fsck lists problems and ends with 1', async () => {
  const whole = await run({ 'GET /berth/fsck': { json: { problems: [], checked: { blobs: 3 } } } }, 'system fsck');
  assert.deepEqual([whole.code, whole.out], [0, 'Checked 3 blobs\n']);
  const broken = await run(
    { 'GET /berth/fsck': { json: { problems: ['blob x: wrong digest'], checked: {} } } },
    'system fsck',
  );
  assert.deepEqual(
    [broken.code, broken.out, broken.err],
    [1, 'blob x: wrong digest\nChecked nothing\n', '1 problem found\n'],
  );
});

const lines: readonly (readonly [string, number, string])[] = [
  ['foo', 1, "docker: unknown command: docker foo\n\nRun 'docker --help' for more information\n"],
  [
    'container foo',
    1,
    "docker: unknown command: docker container foo\n\nUsage:  docker container\n\nRun 'docker container --help' for more information\n",
  ],
  [
    '--foo',
    125,
    "unknown flag: --foo\n\nUsage:  docker [OPTIONS] COMMAND [ARG...]\n\nRun 'docker --help' for more information\n",
  ],
  [
    'container ls --foo',
    125,
    "unknown flag: --foo\n\nUsage:  docker container ls [OPTIONS]\n\nRun 'docker container ls --help' for more information\n",
  ],
  [
    'ps x',
    1,
    "docker: 'docker ps' accepts no arguments\n\nUsage:  docker ps [OPTIONS]\n\nRun 'docker ps --help' for more information\n",
  ],
  [
    'rmi',
    1,
    "docker: 'docker rmi' requires at least 1 argument\n\nUsage:  docker rmi [OPTIONS] IMAGE [IMAGE...]\n\nSee 'docker rmi --help' for more information\n",
  ],
  [
    'tag a',
    1,
    "docker: 'docker tag' requires 2 arguments\n\nUsage:  docker tag SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]\n\nRun 'docker tag --help' for more information\n",
  ],
  [
    'images a b',
    1,
    "docker: 'docker images' requires at most 1 argument\n\nUsage:  docker images [OPTIONS] [REPOSITORY[:TAG]]\n\nRun 'docker images --help' for more information\n",
  ],
  ['swarm init', 1, "docker: 'swarm' is not implemented yet\n"],
  ['help foo', 1, 'unknown help topic: foo\n'],
  ['-H a -c b ps', 1, 'conflicting options: cannot specify both --host and --context\n'],
];

for (const [line, code, err] of lines) {
  test(`"${line}" ends with ${code} and Docker's words`, async () => {
    const outcome = await runWith('unix:///nonexistent', line.split(' '));
    assert.deepEqual(outcome, { code, out: '', err });
  });
}

test('a daemon that is not there is told with its address', async () => {
  const { code, err } = await runWith('unix:///nonexistent/d.sock', ['ps']);
  assert.equal(code, 1);
  assert.equal(
    err,
    'Cannot connect to the Docker daemon at unix:///nonexistent/d.sock. Is the docker daemon running?\n',
  );
  const own = await runWith('unix:///nonexistent/d.sock', ['ps'], { program: 'berth' });
  assert.match(own.err, /^Cannot connect to the Berth daemon/);
});

test("help has usage, aliases and options in Docker's layout", async () => {
  const { out } = await runWith('', ['image', 'rm', '--help']);
  assert.equal(
    out,
    `Usage:  docker image rm [OPTIONS] IMAGE [IMAGE...]

Remove one or more images

Aliases:
  docker image rm, docker image remove, docker rmi

Options:
  -f, --force           Force removal of the image
      --no-prune        Do not delete untagged parents
      --platform list   Remove only the given platform variant
`,
  );
});

test('every command of the tree loads, and its flags have descriptions', async () => {
  const nodes = [...groups.flatMap(({ children }) => children), ...singles];
  for (const { name, load } of nodes) {
    if (!load) continue;
    const { command } = await load();
    for (const [flag, { description }] of Object.entries(command.flags)) assert.ok(description, `${name} --${flag}`);
  }
});

test('contexts are created, used, exported, imported and removed', async () => {
  const configDir = mkdtempSync(join(tmpdir(), 'berth-context-'));
  const call = async (...argv: string[]): Promise<string> => {
    const { out, err } = await runWith('', argv, { configDir });
    return out + err;
  };
  try {
    assert.match(
      await call('context', 'create', 'a1', '--docker', 'host=unix:///x.sock'),
      /Successfully created context "a1"/,
    );
    assert.equal(await call('context', 'create', 'a1'), 'context "a1" already exists\n');
    assert.match(await call('context', 'use', 'a1'), /Current context is now "a1"/);
    assert.equal(await call('context', 'show'), 'a1\n');
    assert.match(await call('ps'), /at unix:\/\/\/x\.sock\. Is the docker daemon running/);
    await call('context', 'export', 'a1', join(configDir, 'a1.tar'));
    assert.equal(readFileSync(join(configDir, 'a1.tar')).length % 512, 0);
    assert.match(
      await call('context', 'import', 'b2', join(configDir, 'a1.tar')),
      /Successfully imported context "b2"/,
    );
    assert.equal(
      await call('context', 'inspect', '-f', '{{.Name}} {{.Endpoints.docker.Host}}', 'b2'),
      'b2 unix:///x.sock\n',
    );
    assert.match(await call('context', 'rm', 'a1'), /is in use/);
    assert.equal(await call('context', 'rm', '-f', 'a1'), 'a1\n');
    assert.equal(await call('context', 'ls', '-q'), 'b2\ndefault\n');
  } finally {
    rmSync(configDir, { recursive: true });
  }
});

test("the version is the package's", () => assert.equal(clientVersion, packageJson.version));

test('save hands every byte to a slow reader before the process ends', async () => {
  // A pipe holds 64 KiB: the second part finds it full, but is small enough that the writer need not wait for it.
  await using daemon = await FakeDaemon.start({
    'GET /images/busybox/get': (_request, response) => {
      response.write(Buffer.alloc(60_000, 'x'));
      void setTimeout(50).then(() => response.end(Buffer.alloc(10_000, 'y')));
    },
  });
  const main = fileURLToPath(new URL('main.ts', import.meta.url));
  const line = `'${process.execPath}' '${main}' -H '${daemon.host}' save busybox | (sleep 0.4; wc -c)`;
  const child = spawn('sh', ['-c', line], { stdio: ['ignore', 'pipe', 'inherit'] });
  let count = '';
  for await (const chunk of child.stdout) count += String(chunk);
  assert.equal(count.trim(), '70000');
});
