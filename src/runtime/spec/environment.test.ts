import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyContainerConfig } from '#spec';
import { buildEnvironment, mergeEnvironment, valueOf, withHome } from './environment.ts';
import { buildExecProcess } from './exec-process.ts';

test('mergeEnvironment replaces in place, appends, and removes a default named without a value', () => {
  assert.deepEqual(mergeEnvironment(['A=1', 'B=2', 'C=3'], ['B=x=y', 'D=', 'A', 'E', 'D=2']), ['B=x=y', 'C=3', 'D=2']);
});

test('buildEnvironment adds TERM with a terminal and lets the container override all', () => {
  const env = buildEnvironment({ env: ['TERM=dumb', 'PATH=/bin'], hostname: 'h', tty: true });
  assert.deepEqual(env, ['PATH=/bin', 'HOSTNAME=h', 'TERM=dumb']);
  assert.deepEqual(withHome(env, '/root').at(-1), 'HOME=/root');
  assert.deepEqual(withHome(['HOME=/x'], '/root'), ['HOME=/x']);
  assert.equal(valueOf(['A=b=c'], 'A'), 'b=c');
  assert.equal(valueOf(['AB=c'], 'A'), undefined);
});

const container = {
  terminal: true,
  consoleSize: { height: 1, width: 2 },
  user: { uid: 5, gid: 6, additionalGids: [6] },
  args: ['app'],
  env: ['HOME=/home/app'],
  cwd: '/srv',
  capabilities: { bounding: ['CAP_KILL'], effective: ['CAP_KILL'], permitted: ['CAP_KILL'] },
  rlimits: [{ type: 'RLIMIT_NOFILE', soft: 1, hard: 2 }],
  noNewPrivileges: true,
  oomScoreAdj: 3,
};
const request = {
  User: '',
  Privileged: false,
  Tty: false,
  AttachStdin: false,
  AttachStdout: true,
  AttachStderr: true,
  Detach: false,
  DetachKeys: '',
  Env: ['B=2'],
  WorkingDir: '',
  Cmd: ['ls', '-l'],
};
const common = {
  container,
  consoleSize: undefined,
  user: undefined,
  env: ['A=1'],
  hostname: 'h',
  workingDir: emptyContainerConfig({ WorkingDir: '/srv' }).WorkingDir,
  availableCapabilities: ['CAP_KILL', 'CAP_SYS_ADMIN'],
};

test("buildExecProcess is the container's process with what the request changes", () => {
  const process = buildExecProcess({ ...common, request });
  assert.deepEqual(process.args, ['ls', '-l']);
  assert.equal(process.terminal, false);
  assert.equal(process.consoleSize, undefined);
  assert.deepEqual(process.env.slice(1), ['HOSTNAME=h', 'A=1', 'B=2', 'HOME=/home/app']);
  assert.equal(process.cwd, '/srv');
  assert.deepEqual(process.user, container.user);
  assert.deepEqual(process.capabilities, container.capabilities);
  assert.equal(process.noNewPrivileges, true);
  assert.deepEqual(process.rlimits, container.rlimits);
});

test('buildExecProcess takes user, directory, size and privileges of the request', () => {
  const process = buildExecProcess({
    ...common,
    request: { ...request, Tty: true, ConsoleSize: [10, 20], WorkingDir: '/a/../b', Privileged: true },
    user: { uid: 1, gid: 2, additionalGids: [2], home: '/one' },
  });
  assert.deepEqual(process.consoleSize, { height: 10, width: 20 });
  assert.equal(process.cwd, '/b');
  assert.ok(process.env.includes('TERM=xterm') && process.env.includes('HOME=/one'));
  assert.equal(process.user.uid, 1);
  assert.deepEqual(process.capabilities?.effective, ['CAP_KILL', 'CAP_SYS_ADMIN']);
});
