import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ApiClient } from '#client';
import type { ContainerInspect } from '#spec';
import { busybox } from '../../helpers/busybox-image.ts';
import { useEngine } from '../../helpers/engine.ts';
import { inspectSubjects } from '../../helpers/inspect-subjects.ts';
import { type Shape, shapeDifferences, shapeOf } from '../../helpers/shape.ts';

const engine = useEngine();
const fixtures = join(import.meta.dirname, '../../fixtures/inspect');

/** What newer dockerds add, leave out, or make depend on the machine. */
const tolerated =
  /^(HostConfig\.(Annotations|KernelMemory|KernelMemoryTCP|OomKillDisable)|NetworkSettings\.Networks\.\w+\.(DNSNames|GwPriority)|ImageManifestDescriptor)(: |\.)/;

describe('container inspect', { concurrency: 4 }, () => {
  for (const { name, body, start } of inspectSubjects) {
    test(`has the fields and types of dockerd's: ${name}`, async (t) => {
      const expected: Shape = JSON.parse(readFileSync(join(fixtures, `${name}.json`), 'utf8'));
      const id = await engine.create(t, body);
      if (start) await engine.start(id);
      const client = new ApiClient({ host: engine.host, apiVersion: '1.41' });
      const answer = await client.get(`/containers/${id}/json`);
      client.close();
      const differences = shapeDifferences(expected, shapeOf(answer)).filter((line) => !tolerated.test(line));
      assert.deepEqual(differences, []);
    });
  }

  test('gives back what was asked for', async (t) => {
    const subject = inspectSubjects.find(({ name }) => name === 'running');
    assert.ok(subject);
    const { HostConfig, ...config } = subject.body;
    const id = await engine.create(t, subject.body);
    const answer = await engine.inspect(id);
    for (const [key, value] of Object.entries(HostConfig ?? {})) {
      assert.deepEqual(Reflect.get(answer.HostConfig, key), value, `HostConfig.${key}`);
    }
    for (const [key, value] of Object.entries(config)) {
      const shown: unknown = Reflect.get(answer.Config, key);
      assert.deepEqual(key === 'Env' ? envWithout(shown, 'PATH') : shown, value, `Config.${key}`);
    }
    assert.equal(answer.Config.Image, busybox);
    assert.match(answer.Image, /^sha256:[0-9a-f]{64}$/);
    assert.equal(answer.Path, 'sleep');
    assert.deepEqual(answer.Args, ['3600']);
    assert.match(answer.Created, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7,9}Z$/);
    assert.equal(answer.HostConfig.MemorySwap, 2 * 67_108_864);
    assert.equal(answer.HostConfig.ShmSize, 67_108_864);
    assert.equal(answer.Platform, 'linux');
  });

  test('the files it names are the ones the container sees', async (t) => {
    const id = await engine.run(t, 'cat /etc/hostname; sleep 3600');
    const { HostnamePath, HostsPath, ResolvConfPath, State, Config } = await engine.inspect(id);
    assert.equal(readFileSync(HostnamePath, 'utf8'), `${Config.Hostname}\n`);
    assert.equal(readFileSync(HostsPath, 'utf8'), readFileSync(`/proc/${State.Pid}/root/etc/hosts`, 'utf8'));
    assert.equal(readFileSync(ResolvConfPath, 'utf8'), readFileSync(`/proc/${State.Pid}/root/etc/resolv.conf`, 'utf8'));
  });

  test('size=1 adds the sizes', async (t) => {
    const id = await engine.create(t);
    const plain = await engine.inspect(id);
    assert.equal(plain.SizeRw, undefined);
    const sized = await engine.client.get<ContainerInspect>(`/containers/${id}/json`, { size: true });
    assert.equal(typeof sized.SizeRw, 'number');
    assert.ok((sized.SizeRootFs ?? 0) > 1_000_000);
  });
});

function envWithout(env: unknown, name: string): unknown {
  return Array.isArray(env) ? env.filter((entry) => !String(entry).startsWith(`${name}=`)) : env;
}
