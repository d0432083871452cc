import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { busybox } from '../../helpers/busybox-image.ts';
import { type CliOptions, type CliResult, runProgram } from '../../helpers/docker-cli.ts';
import { useEngine } from '../../helpers/engine.ts';
import { Terminal, terminalSize } from '../../helpers/terminal.ts';
import { within } from '../../helpers/until.ts';

const engine = useEngine();
const berth = join(import.meta.dirname, '../../../bin/berth');

const env = (): Record<string, string> => ({ DOCKER_HOST: engine.host, DOCKER_CONTEXT: '' });

async function cli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return await runProgram(berth, args, { ...options, env: { ...env(), ...options.env } });
}

function terminal(t: TestContext, line: string): Terminal {
  const opened = new Terminal(line.replaceAll('berth ', `${berth} `), env());
  t.after(() => opened.close());
  return opened;
}

describe('berth run', { concurrency: 4 }, () => {
  test('keeps the streams apart and ends with the exit code', async () => {
    const script = 'cat; echo out; echo err >&2; exit 7';
    const result = await cli(['run', '--rm', '-i', busybox, 'sh', '-c', script], { stdin: 'in\n' });
    assert.deepEqual(result, { exitCode: 7, stdout: 'in\nout\n', stderr: 'err\n' });
  });

  test('ends with 127 and points to the help when there is no such program', async () => {
    const { exitCode, stderr } = await cli(['run', '--rm', busybox, 'nosuch']);
    assert.equal(exitCode, 127);
    assert.match(stderr, /^berth: Error response from daemon: .*executable file not found in \$PATH/);
    assert.match(stderr, /\n\nRun 'berth run --help' for more information\n$/);
  });

  test('-d prints the ID and writes it to --cidfile', async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'cid-'));
    t.after(() => rmSync(directory, { recursive: true }));
    const file = join(directory, 'cid');
    const { stdout } = await cli(['run', '-d', '--cidfile', file, busybox, 'true']);
    engine.removeAfter(t, stdout.trim());
    assert.match(stdout, /^[0-9a-f]{64}\n$/);
    assert.equal(readFileSync(file, 'utf8'), stdout.trim());
    const again = await cli(['run', '--cidfile', file, busybox, 'true']);
    assert.equal(again.exitCode, 125);
    assert.match(again.stderr, /container ID file found/);
  });

  test('moves a lot of data both ways unharmed', async () => {
    const input = 'x'.repeat(3_000_000);
    const { stdout } = await cli(['run', '--rm', '-i', busybox, 'cat'], { stdin: input });
    assert.equal(stdout.length, input.length);
    assert.ok(stdout === input);
  });

  test('-it gives the container the size of the terminal and its keys', async (t) => {
    const screen = terminal(t, `berth run -it --rm ${busybox} sh`);
    await screen.shows(/# /);
    screen.type('stty size\r');
    await screen.shows(new RegExp(`\\n${terminalSize.rows} ${terminalSize.columns}\\n`));
    screen.type(`sh -c 'trap "echo inter""rupted; exit" INT; echo re""ady; while :; do sleep 0.1; done'\r`);
    await screen.shows(/\nready\n/);
    screen.type('\u0003');
    await screen.shows(/interrupted/);
    screen.type('exit 5\r');
    assert.equal(await screen.exit(), 5);
  });

  test('-it leaves the terminal as it was', async (t) => {
    const settings = "stty -a | grep -Eo -- '-?(opost|icanon|echo|isig) '";
    const screen = terminal(t, `${settings}; berth run -it --rm ${busybox} true; echo later; ${settings}`);
    await screen.exit();
    const [before, after] = screen.text.split('later\n');
    assert.equal(after, before);
    assert.match(before ?? '', /^opost/m);
  });

  test('detaches at the keys, and attach and exec come back', async (t) => {
    const name = `detach-${process.pid}`;
    engine.removeAfter(t, name);
    const first = terminal(t, `berth run -it --name ${name} --detach-keys ctrl-a,d ${busybox} sh`);
    await first.shows(/# /);
    first.type('value=sur""vived\r');
    await first.shows(/vived\n.*# /);
    first.type('\u0001d');
    assert.equal(await first.exit(), 0);
    assert.equal(await engine.status(name), 'running');

    const second = terminal(t, `berth attach ${name}`);
    second.type('\r');
    await second.shows(/# /);
    second.type('echo $value\r');
    await second.shows(/survived/);
    second.type('\u0010\u0011');
    assert.equal(await second.exit(), 1);
    assert.match(second.text, /read escape sequence/);

    const exec = await cli(['exec', '-e', 'A=b', name, 'sh', '-c', 'echo $A; exit 3']);
    assert.deepEqual(exec, { exitCode: 3, stdout: 'b\n', stderr: '' });
  });

  test('refuses -it without a terminal', async () => {
    const { exitCode, stderr } = await cli(['run', '--rm', '-it', busybox, 'true']);
    assert.equal(exitCode, 1);
    assert.equal(stderr, 'the input device is not a TTY\n');
  });

  test('passes signals on to the container', async () => {
    const script = 'trap "echo got it; exit 9" TERM; echo ready; while :; do sleep 0.1; done';
    const child = spawn(berth, ['run', '--rm', busybox, 'sh', '-c', script], {
      env: { ...process.env, ...env() },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (text.startsWith('ready')) child.kill('SIGTERM');
    });
    const [code] = await within(once(child, 'close'), 'the end of run', 30_000);
    assert.deepEqual([code, output], [9, 'ready\ngot it\n']);
  });

  test('start -a -i runs a container again with its streams', async (t) => {
    const { stdout } = await cli(['create', '-i', busybox, 'cat']);
    engine.removeAfter(t, stdout.trim());
    const result = await cli(['start', '-a', '-i', stdout.trim()], { stdin: 'again\n' });
    assert.deepEqual(result, { exitCode: 0, stdout: 'again\n', stderr: '' });
  });

  test('logs follows until the container ends', async (t) => {
    const script = 'for i in 1 2 3; do echo $i; sleep 0.2; done';
    const { stdout } = await cli(['run', '-d', busybox, 'sh', '-c', script]);
    engine.removeAfter(t, stdout.trim());
    const logs = await cli(['logs', '-f', '--since', '1h', stdout.trim()]);
    assert.deepEqual(logs, { exitCode: 0, stdout: '1\n2\n3\n', stderr: '' });
  });
});
