import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { busybox } from '../../helpers/busybox-image.ts';
import { useEngine } from '../../helpers/engine.ts';
import { isBerth } from '../../helpers/target.ts';
import { until } from '../../helpers/until.ts';

const engine = useEngine();

const cases: [name: string, args: string[], exitCode: number, stderr: RegExp][] = [
  ['success', [busybox, 'true'], 0, /^$/],
  ['the exit code of the program', [busybox, 'sh', '-c', 'exit 42'], 42, /^$/],
  [
    'a killed child, as the shell reports it',
    [busybox, 'sh', '-c', 'sh -c "kill -9 \\$\\$"; exit $?'],
    137,
    /^(Killed\n)?$/,
  ],
  ['a program that is not in PATH', [busybox, 'nosuch'], 127, /exec: "nosuch": executable file not found in \$PATH/],
  [
    'a path that does not exist',
    [busybox, '/nosuch'],
    127,
    /exec: "\/nosuch": stat \/nosuch: no such file or directory/,
  ],
  ['a file that is not executable', [busybox, '/etc/passwd'], 126, /exec: "\/etc\/passwd": permission denied/],
  ['a directory', [busybox, '/etc'], 126, /exec: "\/etc": (permission denied|is a directory)/],
  ['a working directory that is a file', ['-w', '/etc/passwd', busybox, 'true'], 125, /(mkdir|not a directory)/i],
  ['a bad option', ['--nonsense', busybox], 125, /unknown flag: --nonsense/],
  ['a bad volume', ['-v', '/nope:relative', busybox, 'true'], 125, /mount path must be absolute|invalid/],
  [
    'an unknown runtime',
    ['--runtime', 'nosuch', busybox, 'true'],
    125,
    /unknown or invalid runtime name: nosuch|unknown runtime/i,
  ],
];

describe('exit codes of docker run', { concurrency: 4 }, () => {
  for (const [name, args, exitCode, stderr] of cases) {
    test(`${exitCode}: ${name}`, async () => {
      const result = await engine.docker(['run', '--rm', ...args]);
      assert.match(result.stderr, stderr);
      assert.equal(result.exitCode, exitCode, result.stderr);
    });
  }

  test('a failed start leaves state and exit code behind', async (t) => {
    const name = 'exit-failed-start';
    engine.removeAfter(t, name);
    const run = await engine.docker(['run', '-d', '--name', name, busybox, 'nosuch']);
    assert.equal(run.exitCode, 127);
    const { State } = await engine.inspect(name);
    assert.equal(State.Status, 'created');
    assert.equal(State.ExitCode, 127);
    assert.match(State.Error, /executable file not found in \$PATH/);
  });

  test('docker exec: 126, 127, the exit code, and 1 for what the engine refuses', async (t) => {
    const id = await engine.runIdle(t);
    const exec = async (...args: string[]): Promise<number> => (await engine.docker(['exec', id, ...args])).exitCode;
    assert.equal(await exec('sh', '-c', 'exit 9'), 9);
    assert.ok([127, ...(isBerth ? [] : [126])].includes(await exec('nosuch')));
    assert.equal(await exec('/etc/passwd'), 126);
    assert.equal((await engine.docker(['exec', 'no-such-container', 'true'])).exitCode, 1);
  });

  test('docker run passes a signal on: 143 and 137', async (t) => {
    for (const [signal, exitCode] of [
      ['TERM', 143],
      ['KILL', 137],
    ] as const) {
      const name = `exit-signal-${signal.toLowerCase()}`;
      engine.removeAfter(t, name);
      const script = 'echo ready; exec sleep 3600';
      const running = engine.docker(['run', '--name', name, '--init', busybox, 'sh', '-c', script]);
      // The init process starts it when it takes signals; one that comes earlier is lost.
      await until(async () => (await engine.logs(name)).stdout === 'ready\n', { what: name });
      await engine.docker(['kill', '--signal', signal, name]);
      assert.equal((await running).exitCode, exitCode);
    }
  });
});

describe('docker CLI', { concurrency: 4 }, () => {
  test('run -i pipes stdin through', async () => {
    const { stdout, exitCode } = await engine.docker(['run', '--rm', '-i', busybox, 'wc', '-c'], {
      stdin: 'x'.repeat(100_000),
    });
    assert.equal(stdout.trim(), '100000');
    assert.equal(exitCode, 0);
  });

  test('run -d, ps, logs, exec, inspect, stop, start -a, rm', async (t) => {
    const name = 'cli-day';
    engine.removeAfter(t, name);
    const ok = async (...args: string[]): Promise<string> => {
      const { exitCode, stdout, stderr } = await engine.docker(args);
      assert.equal(exitCode, 0, `docker ${args.join(' ')}: ${stderr}`);
      return stdout;
    };
    const id = (
      await ok('run', '-d', '--name', name, busybox, 'sh', '-c', 'trap "exit 0" TERM; echo hello; sleep 3600 & wait')
    ).trim();
    assert.match(id, /^[0-9a-f]{64}$/);
    assert.match(
      await ok('ps', '--filter', `name=${name}`, '--format', '{{.Names}} {{.State}} {{.Image}}'),
      new RegExp(`^${name} running ${busybox}\n$`),
    );
    await until(async () => (await ok('logs', name)) === 'hello\n', { what: 'the log' });
    assert.equal(await ok('exec', name, 'echo', 'inside'), 'inside\n');
    assert.equal(await ok('inspect', '-f', '{{.State.Status}}', name), 'running\n');
    assert.equal(await ok('stop', name), `${name}\n`);
    assert.equal(await ok('wait', name), '0\n');
    assert.equal(await ok('rm', name), `${name}\n`);
  });

  test('run --rm removes the container by the time it returns', async (t) => {
    const name = 'cli-rm';
    engine.removeAfter(t, name);
    await engine.docker(['run', '--rm', '--name', name, busybox, 'true']);
    const again = await engine.docker(['run', '--rm', '--name', name, busybox, 'true']);
    assert.equal(again.exitCode, 0, again.stderr);
  });

  test('start -a attaches and takes the exit code', async (t) => {
    const id = await engine.create(t, {
      Cmd: ['sh', '-c', 'echo attached; exit 3'],
      AttachStdout: true,
      AttachStderr: true,
    });
    const { stdout, exitCode } = await engine.docker(['start', '-a', id]);
    assert.equal(stdout, 'attached\n');
    assert.equal(exitCode, 3);
  });

  test('a megabyte on each stream arrives whole', async () => {
    const { stdout, stderr } = await engine.docker([
      'run',
      '--rm',
      busybox,
      'sh',
      '-c',
      'head -c 1000000 /dev/zero | tr "\\0" o; head -c 1000000 /dev/zero | tr "\\0" e >&2',
    ]);
    assert.equal(stdout.length, 1_000_000);
    assert.equal(stderr.length, 1_000_000);
  });
});
