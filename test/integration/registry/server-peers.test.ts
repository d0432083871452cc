import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import { busyboxRootfs } from '../../helpers/busybox-image.ts';
import { runProgram } from '../../helpers/docker-cli.ts';
import { TestRegistry } from '../../helpers/registry.ts';

let registry: TestRegistry;
let folder: string;

before(async () => {
  registry = await TestRegistry.start();
  folder = mkdtempSync('/var/tmp/berth-registry-peers-');
  await makeImage();
});

after(async () => {
  await registry?.dispose();
  rmSync(folder, { recursive: true, force: true });
});

async function run(program: string, ...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runProgram(program, args, { timeoutMs: 110_000 });
  assert.equal(exitCode, 0, `${program} ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** An OCI layout `image:1` made by umoci. */
async function makeImage(): Promise<void> {
  const image = join(folder, 'image');
  await run('umoci', 'init', '--layout', image);
  await run('umoci', 'new', '--image', `${image}:1`);
  await run('umoci', 'raw', 'add-layer', '--image', `${image}:1`, busyboxRootfs());
}

async function digestAt(reference: string): Promise<string> {
  const response = await fetch(`${registry.url}/v2/${reference}`, {
    method: 'HEAD',
    headers: {
      accept: 'application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json',
    },
  });
  assert.equal(response.status, 200);
  return response.headers.get('docker-content-digest') ?? '';
}

test('umoci and skopeo: an image of umoci goes there and back without a changed byte', async () => {
  const there = `docker://${registry.host}/peers/umoci:1`;
  await run('skopeo', 'copy', '--dest-tls-verify=false', `oci:${join(folder, 'image')}:1`, there);
  await run('skopeo', 'copy', '--src-tls-verify=false', there, `oci:${join(folder, 'back')}:1`);
  const [digest] = (await run('skopeo', 'inspect', '--format', '{{.Digest}}', `oci:${join(folder, 'image')}:1`)).split(
    '\n',
  );
  assert.equal(
    (await run('skopeo', 'inspect', '--format', '{{.Digest}}', `oci:${join(folder, 'back')}:1`)).trim(),
    digest,
  );
  assert.equal(await digestAt('peers/umoci/manifests/1'), digest);
  await run('umoci', 'unpack', '--rootless', '--image', `${join(folder, 'back')}:1`, join(folder, 'bundle'));
});

test('skopeo: copy within the registry mounts, delete and list-tags work', async () => {
  const from = `docker://${registry.host}/peers/skopeo-a:1`;
  const to = `docker://${registry.host}/peers/skopeo-b:2`;
  await run('skopeo', 'copy', '--dest-tls-verify=false', `oci:${join(folder, 'image')}:1`, from);
  await run('skopeo', 'copy', '--src-tls-verify=false', '--dest-tls-verify=false', from, to);
  assert.equal(await digestAt('peers/skopeo-a/manifests/1'), await digestAt('peers/skopeo-b/manifests/2'));
  const tags = await run('skopeo', 'list-tags', '--tls-verify=false', `docker://${registry.host}/peers/skopeo-b`);
  assert.deepEqual((JSON.parse(tags) as { Tags: string[] }).Tags, ['2']);
  await run('skopeo', 'delete', '--tls-verify=false', to);
  assert.equal((await fetch(`${registry.url}/v2/peers/skopeo-b/manifests/2`)).status, 404);
});

for (const tool of ['podman', 'buildah'] as const) {
  test(`${tool}: pushes to and pulls from the registry, the digest stays`, async (t: TestContext) => {
    const root = [
      '--root',
      join(folder, `${tool}-root`),
      '--runroot',
      join(folder, `${tool}-run`),
      '--storage-driver',
      'vfs',
    ];
    t.after(() => rmSync(join(folder, `${tool}-root`), { recursive: true, force: true }));
    const [pulled, pushed] = [`${registry.host}/peers/${tool}:1`, `${registry.host}/peers/${tool}:2`];
    await run('skopeo', 'copy', '--dest-tls-verify=false', `oci:${join(folder, 'image')}:1`, `docker://${pulled}`);
    await run(tool, ...root, 'pull', '--tls-verify=false', pulled);
    await run(tool, ...root, 'push', '--tls-verify=false', pulled, `docker://${pushed}`);
    await run(tool, ...root, 'rmi', pulled);
    await run(tool, ...root, 'pull', '--tls-verify=false', pushed);
    const digest = await digestAt(`peers/${tool}/manifests/2`);
    const listed = await run(tool, ...root, 'images', '--digests', '--format', '{{.Digest}}');
    assert.ok(listed.includes(digest), `${listed} should name ${digest}`);
  });
}
