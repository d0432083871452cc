import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandOf, mergeImageConfig, normalizeHostConfig, signalNumber } from './create-config.ts';
import { allCgroupFeatures } from '#runtime';
import { emptyContainerConfig, emptyHostConfig } from '#spec';

test('mergeImageConfig fills what the user left out', () => {
  const merged = mergeImageConfig(emptyContainerConfig({ Env: ['A=1'], Cmd: ['id'] }), {
    Env: ['PATH=/bin', 'A=0'],
    Cmd: ['sh'],
    Entrypoint: ['/entry'],
    User: 'web',
    WorkingDir: '/srv',
    Labels: { a: 'b' },
    Volumes: { '/data': {} },
    StopSignal: 'SIGQUIT',
  });
  assert.deepEqual(merged.Env, ['A=1', 'PATH=/bin']);
  assert.deepEqual(commandOf(merged), { path: '/entry', args: ['id'] });
  assert.equal(merged.User, 'web');
  assert.equal(merged.StopSignal, 'SIGQUIT');
  assert.deepEqual(merged.Volumes, { '/data': {} });
});

test("mergeImageConfig: the user's entrypoint drops the image's command", () => {
  const image = { Entrypoint: ['/entry'], Cmd: ['arg'] };
  assert.deepEqual(commandOf(mergeImageConfig(emptyContainerConfig({ Entrypoint: ['ls'] }), image)), {
    path: 'ls',
    args: [],
  });
  assert.deepEqual(commandOf(mergeImageConfig(emptyContainerConfig({ Entrypoint: [''], Cmd: ['ls'] }), image)), {
    path: 'ls',
    args: [],
  });
  assert.throws(() => commandOf(mergeImageConfig(emptyContainerConfig({}), {})), /no command specified/);
});

test('signalNumber reads names, numbers and real-time signals', () => {
  assert.equal(signalNumber('SIGTERM'), 15);
  assert.equal(signalNumber('kill'), 9);
  assert.equal(signalNumber('10'), 10);
  assert.equal(signalNumber('RTMIN+3'), 37);
  assert.equal(signalNumber('SIGRTMAX-1'), 63);
  assert.equal(signalNumber('0'), undefined);
  assert.equal(signalNumber('65'), undefined);
  assert.equal(signalNumber('BOGUS'), undefined);
});

test('normalizeHostConfig refuses modes and limits that cannot be', () => {
  const defaults = {
    features: allCgroupFeatures(2),
    systemdCgroups: false,
    capabilities: [],
    runtimes: [],
    log: { Type: 'json-file', Config: {} },
    maskedPaths: [],
    readonlyPaths: [],
  };
  const normalize = (own: Parameters<typeof emptyHostConfig>[0], config = emptyContainerConfig({})): unknown =>
    normalizeHostConfig(emptyHostConfig(own), config, defaults);
  assert.throws(() => normalize({ IpcMode: 'bogus' }), /invalid IPC mode: bogus/);
  assert.throws(
    () =>
      normalizeHostConfig(emptyHostConfig({ CgroupParent: '/mine' }), emptyContainerConfig({}), {
        ...defaults,
        systemdCgroups: true,
      }),
    /cgroup-parent for systemd cgroup should be a valid slice named as "xxx\.slice"/,
  );
  assert.throws(() => normalize({ NanoCpus: 1e15 }), /range of CPUs is from 0\.01/);
  assert.throws(
    () => normalize({ AutoRemove: true, RestartPolicy: { Name: 'always', MaximumRetryCount: 0 } }),
    /can't create 'AutoRemove'/,
  );
  assert.throws(
    () => normalize({ NetworkMode: 'container:x' }, emptyContainerConfig({ Hostname: 'h' })),
    /conflicting options: hostname and the network mode/,
  );
  assert.throws(() => normalize({ Links: ['a:b'] }), /legacy links \(--link\): not implemented yet/);
  const gpus = [{ Driver: '', Count: -1, DeviceIDs: null, Capabilities: [['gpu']], Options: null }];
  assert.throws(() => normalize({ DeviceRequests: gpus }), /device requests \(--gpus\): not implemented yet/);
  assert.throws(() => normalize({ Runtime: 'foo' }), /unknown or invalid runtime name: foo/);
  assert.throws(() => normalize({ UsernsMode: 'foo' }), /invalid user namespace mode: foo/);
  assert.equal(
    normalizeHostConfig(emptyHostConfig({ Memory: 64 * 1024 ** 2 }), emptyContainerConfig({}), defaults).host
      .MemorySwap,
    128 * 1024 ** 2,
  );
});
