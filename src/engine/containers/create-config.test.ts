import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandOf, mergeImageConfig, signalName, signalNumber } from './create-config.ts';
import { emptyConfig } from './testing.ts';

test('mergeImageConfig fills what the user left out', () => {
  const merged = mergeImageConfig(emptyConfig({ Env: ['A=1'], Cmd: ['id'] }), {
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
  assert.deepEqual(commandOf(mergeImageConfig(emptyConfig({ Entrypoint: ['ls'] }), image)), { path: 'ls', args: [] });
  assert.deepEqual(commandOf(mergeImageConfig(emptyConfig({ Entrypoint: [''], Cmd: ['ls'] }), image)), {
    path: 'ls',
    args: [],
  });
  assert.throws(() => commandOf(mergeImageConfig(emptyConfig({}), {})), /no command specified/);
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
  assert.equal(signalName(15), 'SIGTERM');
});
