import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { ApiError, jsonLines } from '#client';
import type { ContainerSummary, NetworkInspect, ProgressLine } from '#spec';
import { busybox } from '../../helpers/busybox-image.ts';
import { useEngine } from '../../helpers/engine.ts';
import { runNft } from '../../helpers/nft.ts';
import { berthOnly } from '../../helpers/target.ts';
import { until } from '../../helpers/until.ts';

const engine = useEngine();
const source = join(import.meta.dirname, '../../../src');

/** Every place in the sources where a test can stop the daemon. */
function failpointNames(): string[] {
  const names = globSync('**/*.ts', { cwd: source })
    .filter((path) => !path.endsWith('.test.ts'))
    .flatMap((path) => [...readFileSync(join(source, path), 'utf8').matchAll(/\bfailpoint\('([\w-]+)'\)/g)])
    .map(([, name = '']) => name);
  // These have tests of their own: of registries in test/integration/registry, of logs in containers/json-log.test.ts and log-syslog.test.ts, of
  // images of several platforms in images/platforms.test.ts, of builds in build/, of volumes in volumes/crash.test.ts.
  const elsewhere = /^(pull|push|registry|json-log|log|build|volume|mount)-|^image-(before-kept-commit|manifest-kept)$/;
  return [...new Set(names)].filter((name) => !elsewhere.test(name)).toSorted();
}

/** An image with a layer nobody else has. */
async function importImage(name: string): Promise<void> {
  const directory = mkdtempSync('/var/tmp/berth-failpoint-');
  try {
    writeFileSync(join(directory, name), 'x'.repeat(100_000));
    const tar = execFileSync('tar', ['-C', directory, '-cf', '-', name]);
    const query = { fromSrc: '-', repo: `failpoint-${name}`, tag: 'latest' };
    const response = await engine.client.send({ method: 'POST', path: '/images/create', query, stream: chunks(tar) });
    for await (const line of jsonLines<ProgressLine>(response)) assert.equal(line.error, undefined);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function* chunks(bytes: Buffer): AsyncGenerator<Buffer, void, void> {
  yield bytes;
}

async function removeImage(name: string): Promise<void> {
  await engine.client.delete(`/images/failpoint-${name}:latest`).catch((error: unknown) => {
    if (!(error instanceof ApiError && error.status === 404)) throw error;
  });
}

/** Makes two networks, puts a container on one and then the other, and takes everything back. */
async function networks(name: string): Promise<void> {
  const [one, two] = [`${name}-a`, `${name}-b`] as const;
  const json = { Image: busybox, Cmd: ['sleep', '3600'], HostConfig: { NetworkMode: one } };
  for (const Name of [one, two]) await engine.client.post('/networks/create', {}, { json: { Name } });
  const { Id } = await engine.client.post<{ Id: string }>('/containers/create', { name: `${name}-0` }, { json });
  await engine.start(Id);
  await engine.client.post(`/networks/${two}/connect`, {}, { json: { Container: Id } });
  await engine.client.post(`/networks/${one}/disconnect`, {}, { json: { Container: Id } });
  await engine.client.delete(`/containers/${Id}`, { force: true });
  for (const network of [one, two]) await engine.client.delete(`/networks/${network}`);
}

/** Goes through every operation that has fail points; the daemon dies in one of them. */
async function everything(name: string): Promise<void> {
  const json = { Image: busybox, Cmd: ['sleep', '0.2'], Volumes: { '/data': {} } };
  await networks(name);
  await importImage(name);
  const { Id: first } = await engine.client.post<{ Id: string }>('/containers/create', { name: `${name}-1` }, { json });
  await engine.start(first);
  await engine.wait(first);
  await engine.client.delete(`/containers/${first}`, { v: true });
  const second = { ...json, Cmd: ['sleep', '3600'] };
  const { Id } = await engine.client.post<{ Id: string }>(
    '/containers/create',
    { name: `${name}-2` },
    { json: second },
  );
  await engine.start(Id);
  await engine.client.delete(`/containers/${Id}`, { force: true, v: true });
  await removeImage(name);
}

async function listAll(): Promise<ContainerSummary[]> {
  return await engine.client.get<ContainerSummary[]>('/containers/json', { all: true });
}

/** Kernel and database tell the same. */
async function assertConsistent(): Promise<void> {
  const { problems } = await engine.client.get<{ problems: string[] }>('/berth/fsck');
  assert.deepEqual(problems, []);
  await assertNetworks();
  const running: string[] = [];
  for (const { Id } of await listAll()) {
    const { State } = await engine.inspect(Id);
    assert.ok(['created', 'running', 'exited'].includes(State.Status), State.Status);
    assert.equal(State.Running, State.Pid > 0 && existsSync(`/proc/${State.Pid}`));
    if (State.Running) running.push(Id);
  }
  await until(() => overlayMounts().length === running.length, {
    what: `${running.length} overlay mounts, not:\n${overlayMounts().join('\n')}`,
    timeoutMs: 5_000,
  });
  await until(() => namespaceFiles().every((id) => running.includes(id)), {
    what: `namespaces of running containers only, not ${namespaceFiles().join(' ')}`,
    timeoutMs: 5_000,
  });
}

/** Every network has its bridge, every bridge its network, and each running container the links that it shows. */
async function assertNetworks(): Promise<void> {
  const all = await engine.client.get<NetworkInspect[]>('/networks', { filters: '{"type":{"custom":true}}' });
  const wanted = all.map(({ Id }) => `br-${Id.slice(0, 12)}`).toSorted();
  assert.deepEqual(bridgesInKernel(), wanted);
  const table = runNft(`list set inet berth-${engine.daemon.bridge} bridges`);
  for (const bridge of wanted) assert.ok(table.includes(`"${bridge}"`), table);
  for (const { Id, State } of await listAll()) {
    if (State !== 'running') continue;
    const { Networks } = (await engine.inspect(Id)).NetworkSettings;
    const { stdout } = await engine.exec(Id, 'ip -4 -o addr show scope global');
    const inside = [...stdout.matchAll(/inet ([\d.]+)\//g)].map(([, address]) => address);
    const shown = Object.values(Networks).map(({ IPAddress }) => IPAddress);
    assert.deepEqual(new Set(inside), new Set(shown));
  }
}

function bridgesInKernel(): string[] {
  const alias = `berth:${engine.daemon.bridge}:network`;
  return readdirSync('/sys/class/net').filter((name) => {
    const path = `/sys/class/net/${name}/ifalias`;
    return existsSync(path) && readFileSync(path, 'utf8').trim() === alias;
  });
}

function overlayMounts(): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes(' - overlay ') && line.includes(engine.daemon.dataRoot));
}

function namespaceFiles(): string[] {
  const directory = join(engine.daemon.execRoot, 'netns');
  return existsSync(directory) ? readdirSync(directory) : [];
}

/** What is on disk, without what is inside of layers and without the database's own files. */
function filesOnDisk(): string[] {
  return readdirSync(engine.daemon.dataRoot, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.split('/').length <= 4 && !path.includes('meta.db'))
    .toSorted();
}

describe('a daemon killed in the middle of an operation', berthOnly, () => {
  // What the first container of an image leaves for the next ones.
  before(async () => await everything('first'));

  test('there are fail points in every operation', () => {
    const operations = new Set(failpointNames().map((name) => name.split('-')[0]));
    for (const operation of ['create', 'start', 'remove', 'exit', 'layer', 'blob', 'network', 'connect'])
      assert.ok(operations.has(operation), operation);
  });

  for (const name of failpointNames()) {
    test(`is whole again after ${name}`, async () => {
      const before = filesOnDisk();
      await engine.daemon.terminate();
      // Some lie in what is done at every start.
      const work = engine.daemon.launch({ BERTH_FAILPOINTS: name }).then(async () => await everything(name));
      const outcome = await Promise.race([
        work.then(
          () => 'finished',
          () => 'cut off',
        ),
        engine.daemon.exited().then(() => 'died'),
      ]);
      assert.notEqual(outcome, 'finished', `${name} was not reached`);
      await engine.daemon.exited();
      await work.catch(() => undefined);
      await engine.daemon.launch();
      await assertConsistent();
      for (const { Id } of await listAll()) await engine.remove(Id);
      for (const suffix of ['a', 'b']) await engine.removeNetwork(`${name}-${suffix}`);
      await removeImage(name);
      await everything(name);
      await assertConsistent();
      await until(() => filesOnDisk().join() === before.join(), { what: 'the files of before' }).catch(() =>
        assert.deepEqual(filesOnDisk(), before),
      );
    });
  }
});
