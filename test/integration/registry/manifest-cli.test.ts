import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { dockerCliPath, runProgram } from '../../helpers/docker-cli.ts';
import { TestRegistry } from '../../helpers/registry.ts';

const berth = new URL('../../../bin/berth', import.meta.url).pathname;
const types = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
};
let registry: TestRegistry;
let directory: string;

before(async () => {
  registry = await TestRegistry.start();
  directory = mkdtempSync('/var/tmp/berth-manifest-test-');
});
after(async () => {
  rmSync(directory, { recursive: true });
  await registry.dispose();
});

const digestOf = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;

async function send(method: string, path: string, body: string, type: string): Promise<void> {
  const response = await fetch(`${registry.url}${path}`, { method, body, headers: { 'content-type': type } });
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${await response.text()}`);
}

/** An image without layers; answers its digest. */
async function pushImage(repository: string, architecture: string): Promise<string> {
  const config = JSON.stringify({ architecture, os: 'linux', rootfs: { type: 'layers', diff_ids: [] } });
  const descriptor = { mediaType: types.config, digest: digestOf(config), size: config.length };
  const manifest = JSON.stringify({ schemaVersion: 2, mediaType: types.manifest, config: descriptor, layers: [] });
  await send('POST', `/v2/${repository}/blobs/uploads/?digest=${digestOf(config)}`, config, 'application/octet-stream');
  await send('PUT', `/v2/${repository}/manifests/1`, manifest, types.manifest);
  return digestOf(manifest);
}

/** Runs the same lines with ours or the stock CLI, each with a store of its own; answers what was said. */
async function session(program: string, name: string, lines: readonly string[]): Promise<string[]> {
  const config = join(directory, name);
  mkdirSync(config, { recursive: true });
  const said: string[] = [];
  for (const line of lines) {
    const result = await runProgram(program, ['manifest', ...line.split(' ')], { env: { DOCKER_CONFIG: config } });
    said.push(`${result.exitCode} ${result.stdout}${result.stderr}`.trimEnd());
  }
  return said;
}

/** The stock CLI reads OCI manifests from 23.0 on; Debian 12 has 20.10. */
async function stockReadsOci(): Promise<boolean> {
  const { stdout } = await runProgram(dockerCliPath(), ['--version']);
  return Number(/version (\d+)/.exec(stdout)?.[1]) >= 23;
}

test('manifest create, annotate, inspect, push and rm say and do what the stock CLI does', async () => {
  const amd64 = await pushImage('team/a', 'amd64');
  const arm64 = await pushImage('team/b', 'arm64');
  const [list, a, b] = ['app', 'a', 'b'].map((name) => `${registry.host}/team/${name}:1`);
  const lines = [
    `create --insecure ${list} ${a} ${b}`,
    `create --insecure ${list} ${a}`,
    `create --insecure --amend ${list} ${a}`,
    `annotate --variant v8 --os-features f ${list} ${b}`,
    `annotate --arch z80 ${list} ${b}`,
    `annotate ${list} ${registry.host}/team/c:1`,
    `inspect ${list}`,
    `inspect -v ${list} ${b}`,
    `push --insecure --purge ${list}`,
    `inspect --insecure ${list}`,
    `inspect --insecure -v ${list}`,
    `inspect --insecure ${a}`,
    `inspect --insecure ${registry.host}/team/none:1`,
    `rm ${list}`,
  ];
  const ours = await session(berth, 'ours', lines);
  const stock = (await stockReadsOci()) ? await session(dockerCliPath(), 'stock', lines) : ours;
  const unknownPlatform = 4;
  assert.match(ours[unknownPlatform] ?? '', /unsupported os\/arch combination: linux\/z80/);
  // Docker names only what the flags say there.
  const comparable = (said: string[]): string[] => said.toSpliced(unknownPlatform, 1);
  assert.deepEqual(comparable(ours), comparable(stock));

  const response = await fetch(`${registry.url}/v2/team/app/manifests/1`, {
    headers: { accept: 'application/vnd.oci.image.index.v1+json' },
  });
  const index = (await response.json()) as { manifests: { digest: string; platform: object }[] };
  assert.deepEqual(
    index.manifests.map(({ digest, platform }) => [digest, platform]),
    [
      [amd64, { architecture: 'amd64', os: 'linux' }],
      [arm64, { architecture: 'arm64', os: 'linux', 'os.features': ['f'], variant: 'v8' }],
    ],
  );
});

test('a list that one CLI began, the other may push', async () => {
  await pushImage('team/a', 'amd64');
  const [list, a] = [`${registry.host}/team/mixed:1`, `${registry.host}/team/a:1`];
  const beginner = (await stockReadsOci()) ? dockerCliPath() : berth;
  const [created] = await session(beginner, 'mixed', [`create --insecure ${list} ${a}`]);
  const [pushed = ''] = await session(berth, 'mixed', [`push ${list}`]);
  assert.match(created ?? '', /^0 Created manifest list/);
  assert.match(pushed, /^0 Pushed ref .*\nsha256:[0-9a-f]{64}$/);
});

test('images of another registry are refused', async () => {
  await pushImage('team/a', 'amd64');
  const [, pushed = ''] = await session(berth, 'other', [
    `create 127.0.0.1:1/team/x:1 ${registry.host}/team/a:1`,
    'push 127.0.0.1:1/team/x:1',
  ]);
  assert.match(
    pushed,
    /^1 cannot use source images from a different registry than the target image: \S+ != 127\.0\.0\.1:1$/,
  );
});
