import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { collect, refuses, useEngine } from '../../helpers/engine.ts';
import { berthOnly } from '../../helpers/target.ts';
import { until, within } from '../../helpers/until.ts';

const engine = useEngine();

describe('exec', { concurrency: 4 }, () => {
  test('keeps stdout and stderr apart and reports the exit code', async (t) => {
    const id = await engine.runIdle(t);
    const { stdout, stderr, exitCode } = await engine.exec(id, 'echo out; echo err >&2; exit 33');
    assert.equal(stdout, 'out\n');
    assert.equal(stderr, 'err\n');
    assert.equal(exitCode, 33);
  });

  test('inspect tells what runs, then how it ended', async (t) => {
    const id = await engine.runIdle(t);
    const execId = await engine.createExec(id, {
      Cmd: ['sh', '-c', 'read line; exit 6'],
      AttachStdin: true,
      AttachStdout: true,
      User: 'mail',
    });
    const before = await engine.inspectExec(execId);
    assert.equal(before.Running, false);
    assert.equal(before.ExitCode, null);
    assert.equal(before.Pid, 0);
    assert.equal(before.ContainerID, id);
    assert.equal(before.OpenStdin, true);
    assert.equal(before.OpenStdout, true);
    assert.equal(before.OpenStderr, false);
    assert.equal(before.ProcessConfig.entrypoint, 'sh');
    assert.deepEqual(before.ProcessConfig.arguments, ['-c', 'read line; exit 6']);
    assert.equal(before.ProcessConfig.user, 'mail');
    const stream = await engine.startExec(execId);
    const during = await until(
      async () => {
        const state = await engine.inspectExec(execId);
        return state.Running && state.Pid > 0 ? state : undefined;
      },
      { what: 'the exec to run' },
    );
    assert.equal(during.ExitCode, null);
    assert.ok((await engine.inspect(id)).ExecIDs?.includes(execId));
    await stream.write('go\n');
    await within(collect(stream), 'the end of the exec');
    stream.destroy();
    const after = await engine.inspectExec(execId);
    assert.equal(after.Running, false);
    assert.equal(after.ExitCode, 6);
    assert.equal((await engine.inspect(id)).ExecIDs, null);
  });

  test('passes stdin on, and its end', async (t) => {
    const id = await engine.runIdle(t);
    const execId = await engine.createExec(id, { Cmd: ['wc', '-c'], AttachStdin: true, AttachStdout: true });
    const stream = await engine.startExec(execId);
    const size = 300_000;
    await stream.write(Buffer.alloc(size, 'x'));
    stream.closeWrite();
    const { stdout } = await within(collect(stream), 'the output after the end of stdin');
    assert.equal(stdout.trim(), String(size));
    stream.destroy();
  });

  test('takes user, environment and working directory', async (t) => {
    const id = await engine.runIdle(t, { Env: ['FROM_CONTAINER=1'] });
    const asUser = await engine.exec(id, 'id -u; id -g; pwd; echo $FROM_CONTAINER $FROM_EXEC', {
      User: 'www-data',
      Env: ['FROM_EXEC=2'],
      WorkingDir: '/tmp',
    });
    assert.equal(asUser.stdout, '33\n33\n/tmp\n1 2\n');
    const byIds = await engine.exec(id, 'id -u; id -g', { User: '1234:5678' });
    assert.equal(byIds.stdout, '1234\n5678\n');
  });

  test('with a terminal everything comes raw, and the size can be set', async (t) => {
    const id = await engine.runIdle(t);
    const execId = await engine.createExec(id, {
      Cmd: ['sh', '-c', 'test -t 0 && test -t 1 && echo tty; read line; stty size'],
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      Tty: true,
    });
    const stream = await engine.startExec(execId, true);
    let text = '';
    const reading = (async () => {
      for await (const chunk of stream) text += chunk.toString();
    })();
    await until(() => text.includes('tty\r\n'), { what: 'tty' });
    await engine.client.post(`/exec/${execId}/resize`, { h: 17, w: 91 });
    await stream.write('\n');
    await within(reading, 'the end of the exec');
    assert.match(text, /17 91\r\n$/);
    stream.destroy();
  });

  test('detached it goes on alone', async (t) => {
    const id = await engine.runIdle(t);
    const execId = await engine.createExec(id, { Cmd: ['sh', '-c', 'echo done >/flag; exit 2'] });
    await engine.client.post(`/exec/${execId}/start`, {}, { json: { Detach: true } });
    await until(async () => (await engine.inspectExec(execId)).ExitCode === 2, { what: 'the exit code' });
    assert.equal((await engine.exec(id, 'cat /flag')).stdout, 'done\n');
  });

  // dockerd with an older runc fails where the machine itself lacks a capability.
  test('privileged has every capability of the machine', berthOnly, async (t) => {
    const id = await engine.runIdle(t);
    const caps = async (Privileged: boolean): Promise<string> => {
      return (await engine.exec(id, 'grep CapEff /proc/self/status', { Privileged })).stdout;
    };
    assert.equal(await caps(false), 'CapEff:\t00000000a80425fb\n');
    const own = /CapBnd:\t\S+\n/.exec(readFileSync('/proc/self/status', 'utf8'))?.[0];
    assert.equal(await caps(true), own?.replace('Bnd', 'Eff'));
  });

  test('many at once do not mix up', async (t) => {
    const id = await engine.runIdle(t);
    const results = await Promise.all(
      Array.from({ length: 25 }, async (_, n) => await engine.exec(id, `echo ${n}; exit ${n}`)),
    );
    results.forEach(({ stdout, exitCode }, n) => {
      assert.equal(stdout, `${n}\n`);
      assert.equal(exitCode, n);
    });
  });

  test('a program that does not exist is told, with 127 afterwards', async (t) => {
    const id = await engine.runIdle(t);
    const execId = await engine.createExec(id, { Cmd: ['/no/such/program'], AttachStdout: true });
    const started = await engine.startExec(execId).then(
      async (stream) => (await within(collect(stream), 'the end of the exec')).stdout,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    assert.match(started, /no such file or directory|executable file .*not found/i);
    await until(async () => [126, 127].includes((await engine.inspectExec(execId)).ExitCode ?? 0), {
      what: 'exit code 127',
    });
  });

  test('is refused in a container that does not run, twice, and without a command', async (t) => {
    const stopped = await engine.create(t);
    await refuses(
      engine.createExec(stopped, { Cmd: ['true'] }),
      409,
      new RegExp(`^Container ${stopped} is not running$`, 'i'),
    );
    const id = await engine.runIdle(t);
    await refuses(engine.createExec(id, { Cmd: [] }), [400], /^No exec command specified$/i);
    const execId = await engine.createExec(id, { Cmd: ['true'], AttachStdout: true });
    (await engine.startExec(execId)).destroy();
    await until(async () => (await engine.inspectExec(execId)).ExitCode === 0, { what: 'the first run' });
    await refuses(
      engine.client.post(`/exec/${execId}/start`, {}, { json: { Detach: true } }),
      409,
      /exec command .* already r|has already run/i,
    );
    await refuses(engine.inspectExec('f'.repeat(64)), 404, /^No such exec instance: f+$/);
  });

  test('ends with its container', async (t) => {
    const id = await engine.runIdle(t);
    const execId = await engine.createExec(id, { Cmd: ['sleep', '3600'], AttachStdout: true });
    const stream = await engine.startExec(execId);
    await engine.client.post(`/containers/${id}/stop`, { t: 1 });
    await within(collect(stream), 'the end of the exec');
    stream.destroy();
    await refuses(engine.exec(id, 'true'), 409, /is not running/);
  });

  test('created by the dozen and never started they pile nothing up', berthOnly, async (t) => {
    const id = await engine.runIdle(t);
    const created = await Promise.all(Array.from({ length: 30 }, () => engine.createExec(id, { Cmd: ['true'] })));
    await engine.exec(id, 'true');
    assert.ok(waitingExecs(id).length <= 8);
    for (const execId of created) await engine.client.post(`/exec/${execId}/start`, {}, { json: { Detach: true } });
    await until(async () => (await engine.inspectExec(created.at(-1) ?? '')).ExitCode === 0, {
      what: 'the last to end',
    });
    await until(() => waitingExecs(id).length <= 1, { what: 'all of them to be gone, but for one to spare' });
  });

  test('one after the other they are quick and do not mix up', async (t) => {
    const id = await engine.runIdle(t);
    for (let turn = 0; turn < 6; turn++) {
      const { stdout, exitCode } = await engine.exec(id, `echo ${turn}; exit ${turn}`);
      assert.deepEqual([stdout, exitCode], [`${turn}\n`, turn]);
    }
    await engine.client.post(`/containers/${id}/restart`, { t: 0 });
    assert.equal((await engine.exec(id, 'echo again')).stdout, 'again\n');
  });
});

/** The conmons of a container's execs. */
function waitingExecs(containerId: string): string[] {
  return readdirSync('/proc').filter((name) => {
    try {
      const line = /^\d+$/.test(name) ? readFileSync(`/proc/${name}/cmdline`, 'latin1') : '';
      return line.includes(`--cid=${containerId}`) && line.includes('--exec-attach');
    } catch {
      return false;
    }
  });
}
