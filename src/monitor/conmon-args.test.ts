import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conmonArgs } from './conmon-args.ts';
import type { LaunchRequest } from './contract.ts';

const request: LaunchRequest = {
  id: 'e1',
  containerId: 'c1',
  kind: 'container',
  bundleOrProcessFile: '/run/b/c1',
  tty: false,
  stdin: true,
  stdinOnce: true,
  logPath: '/var/log/c1',
  runtimePath: '/usr/bin/crun',
  runtimeArgs: ['--root=/run/b/crun'],
  name: 'web',
};

test('conmonArgs lets stdin end with its client only for StdinOnce without a terminal', () => {
  const leavesOpen = (change: Partial<LaunchRequest>): boolean =>
    conmonArgs({ ...request, ...change }, '/exits').includes('--leave-stdin-open');
  assert.equal(leavesOpen({}), false);
  assert.equal(leavesOpen({ stdinOnce: false }), true);
  assert.equal(leavesOpen({ tty: true }), true);
  assert.equal(leavesOpen({ stdin: false, tty: true }), false);
});

test('conmonArgs puts the files of an exec beside its process file', () => {
  const args = conmonArgs({ ...request, kind: 'exec', bundleOrProcessFile: '/run/b/e1/process.json' }, '/exits');
  assert.ok(args.includes('--bundle=/run/b/e1') && args.includes('--persist-dir=/run/b/e1'));
  assert.ok(args.includes('--container-pidfile=/run/b/e1/pid'));
  assert.ok(args.includes('--exec-process-spec=/run/b/e1/process.json'));
  assert.ok(args.includes('--cid=c1') && args.includes('--cuuid=e1'));
});
