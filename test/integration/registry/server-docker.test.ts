import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { busybox } from '../../helpers/busybox-image.ts';
import { runProgram } from '../../helpers/docker-cli.ts';
import { useEngine } from '../../helpers/engine.ts';
import { RegistryProbe } from '../../helpers/registry-client.ts';
import { TestRegistry } from '../../helpers/registry.ts';

const engine = useEngine();
const launcher = new URL('../../../bin/berth-registry', import.meta.url).pathname;
const types = 'application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json';

async function docker(config: string, args: readonly string[], stdin?: string): Promise<string> {
  const { exitCode, stdout, stderr } = await engine.docker(
    ['--config', config, ...args],
    stdin === undefined ? {} : { stdin },
  );
  assert.equal(exitCode, 0, `docker ${args.join(' ')}: ${stderr}`);
  return stdout;
}

function folder(t: TestContext): string {
  const made = mkdtempSync('/var/tmp/berth-docker-config-');
  t.after(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

test('docker: push, remove, pull by tag and by digest through our registry keep the digest', async (t) => {
  const registry = await TestRegistry.start();
  t.after(async () => await registry.dispose());
  const config = folder(t);
  const name = `${registry.host}/docker/busybox`;
  await docker(config, ['tag', busybox, `${name}:1`]);
  const pushed = /digest: (sha256:[0-9a-f]{64})/.exec(await docker(config, ['push', `${name}:1`]))?.[1] ?? '';
  const there = await new RegistryProbe(registry.url).send('HEAD', '/v2/docker/busybox/manifests/1', {
    headers: { accept: types },
  });
  assert.equal(there.headers.get('docker-content-digest'), pushed);
  await docker(config, ['rmi', `${name}:1`]);
  assert.match(await docker(config, ['pull', `${name}:1`]), new RegExp(`Digest: ${pushed}`));
  await docker(config, ['rmi', `${name}:1`]);
  await docker(config, ['pull', `${name}@${pushed}`]);
  assert.match(await docker(config, ['run', '--rm', `${name}@${pushed}`, 'echo', 'pulled']), /^pulled/);
  await docker(config, ['rmi', `${name}@${pushed}`]);
});

for (const mode of ['basic', 'token']) {
  test(`docker: login, push, logout with ${mode} authentication`, async (t) => {
    const config = folder(t);
    const htpasswd = join(config, 'htpasswd');
    assert.equal((await runProgram(launcher, ['htpasswd', htpasswd, 'alice'], { stdin: 'secret' })).exitCode, 0);
    const registry = await TestRegistry.start({ config: { auth: { mode, htpasswd } } });
    t.after(async () => await registry.dispose());
    const name = `${registry.host}/alice/busybox:1`;
    const login = ['login', '--username', 'alice', '--password-stdin', registry.host];
    const wrong = await engine.docker(['--config', config, ...login], { stdin: 'guess' });
    assert.notEqual(wrong.exitCode, 0);
    assert.match(await docker(config, login, 'secret'), /Login Succeeded/);
    await docker(config, ['tag', busybox, name]);
    await docker(config, ['push', name]);
    await docker(config, ['rmi', name]);
    await docker(config, ['pull', name]);
    await docker(config, ['rmi', name]);
    await docker(config, ['logout', registry.host]);
    assert.notEqual((await engine.docker(['--config', config, 'pull', name])).exitCode, 0);
  });
}
