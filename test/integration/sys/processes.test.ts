import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { once } from 'node:events';
import { test } from 'node:test';
import { createLinuxSys } from '#sys';

const { processes, sockets } = createLinuxSys();

test('rlimits are read and set for this process and others', async () => {
  const child = spawn('sleep', ['60']);
  const pid = child.pid ?? 0;
  const { hard } = processes.getRlimit('nofile', pid);
  processes.setRlimit('nofile', { soft: 64, hard }, pid);
  assert.deepEqual(processes.getRlimit('nofile', pid), { soft: 64, hard });
  assert.notEqual(processes.getRlimit('nofile').soft, 64);
  assert.throws(() => processes.setRlimit('nofile', { soft: Infinity, hard: Infinity }, pid), { kind: 'forbidden' });
  child.kill('SIGKILL');
  await once(child, 'exit');
});

test('a pidfd tells the end of its process and signals only that', async () => {
  const child = spawn('sleep', ['60']);
  const pid = child.pid ?? 0;
  const pidfd = processes.pidfdOpen(pid);
  const ended = Promise.withResolvers<void>();
  const watch = sockets.watchFd(pidfd, { readable: true }, () => ended.resolve());
  processes.pidfdSendSignal(pidfd, 9);
  const [, signal] = (await once(child, 'exit')) as [number | null, string];
  await ended.promise;
  watch.close();
  assert.equal(signal, 'SIGKILL');
  assert.throws(() => processes.pidfdSendSignal(pidfd, 9), { kind: 'notFound' });
  closeSync(pidfd);
  assert.throws(() => processes.pidfdOpen(pid), { code: 'SYS_ESRCH' });
  assert.equal(processes.processExists(pid), false);
});

test('procfs readers describe a process and say undefined when it is gone', async () => {
  const child = spawn('sleep', ['61']);
  await once(child, 'spawn');
  const pid = child.pid ?? 0;
  const stat = processes.readProcessStat(pid);
  assert.equal(stat?.pid, pid);
  assert.equal(stat.parentPid, process.pid);
  assert.ok(stat.startTicks > 0);
  assert.deepEqual(processes.readCommandLine(pid), ['sleep', '61']);
  assert.equal(processes.readProcessStatus(pid)?.get('Pid'), String(pid));
  assert.ok(processes.listProcesses().includes(pid));
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.equal(processes.readProcessStat(pid), undefined);
  assert.equal(processes.readCommandLine(pid), undefined);
});

test('a subreaper reaps the orphans of its children', async () => {
  processes.setChildSubreaper(true);
  try {
    const shell = spawn('sh', ['-c', '(sleep 0.1; exit 7) >/dev/null & echo $!']);
    let output = '';
    shell.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await once(shell, 'exit');
    const orphan = Number(output);
    const pidfd = processes.pidfdOpen(orphan);
    assert.equal(processes.reap(orphan), undefined);
    await new Promise<void>((resolve) => {
      const watch = sockets.watchFd(pidfd, { readable: true }, () => {
        watch.close();
        resolve();
      });
    });
    closeSync(pidfd);
    assert.deepEqual(processes.reap(orphan), { exitCode: 7 });
    assert.equal(processes.reap(orphan), undefined);
  } finally {
    processes.setChildSubreaper(false);
  }
});

test('bootId is a stable uuid', () => {
  assert.match(processes.bootId(), /^[0-9a-f-]{36}$/);
  assert.equal(processes.bootId(), processes.bootId());
});
