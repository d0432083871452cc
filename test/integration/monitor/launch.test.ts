import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { randomHex } from '#lib';
import { type LogLine, readLogs, releaseLeftExecs } from '#monitor';
import { ContainerBench, readAll } from '../../helpers/container-bench.ts';
import { until } from '../../helpers/until.ts';

/** More than a pipe holds. */
const longEnvironment = ['A', 'B'].map((name) => `${name}=${'x'.repeat(120_000)}`);

let bench: ContainerBench;
before(() => {
  bench = new ContainerBench();
});
after(() => bench[Symbol.asyncDispose](), { timeout: 30_000 });

async function logged(id: string): Promise<string[]> {
  const lines: LogLine[] = [];
  for await (const line of readLogs(bench.logPath(id), { follow: false })) lines.push(line);
  return lines.map((line) => `${line.stream}:${line.data.toString()}`);
}

test('a container gives output, log and exit code, attached before its start', async () => {
  const result = await bench.run({ args: ['sh', '-c', 'echo out; echo err >&2; printf end; exit 3'] });
  assert.deepEqual({ ...result, id: '' }, { stdout: 'out\nend', stderr: 'err\n', exitCode: 3, id: '' });
  assert.deepEqual((await logged(result.id)).sort(), ['stderr:err\n', 'stdout:end', 'stdout:out\n']);
});

test('an exit is dated when it happened and told once, also over a restart of ours', async () => {
  const { id } = await bench.create({ args: ['sleep', '0.3'] });
  await (await bench.runtime()).start(id);
  bench.reopenMonitor();
  const exit = await bench.ended(id);
  assert.ok(BigInt(Date.now()) * 1_000_000n - exit.finishedAt < 1_000_000_000n);
  assert.equal(bench.exits.filter((seen) => seen.id === id).length, 1);
  bench.reopenMonitor();
  assert.equal(bench.exits.filter((seen) => seen.id === id).length, 2, 'what was not acknowledged is told again');
  bench.monitor.acknowledge('container', id);
  bench.reopenMonitor();
  assert.equal(bench.exits.filter((seen) => seen.id === id).length, 2);
});

test('a process killed by a signal exits with 128 and its number', async () => {
  const { id, pid } = await bench.create({ args: ['sleep', '100'] });
  await (await bench.runtime()).start(id);
  process.kill(pid, 'SIGKILL');
  assert.equal((await bench.ended(id)).exitCode, 137);
});

test("launch fails with the runtime's words for a program that cannot run", async () => {
  writeFileSync(join(bench.rootfs, 'plain'), 'no program', { mode: 0o644 });
  const before = bench.exits.length;
  await assert.rejects(bench.run({ args: ['no-such-program'] }), /no-such-program.*not found/);
  await assert.rejects(bench.run({ args: ['/no/such/program'] }), /no such file or directory/i);
  await assert.rejects(bench.run({ args: ['/plain'] }), /permission denied|operation not permitted/i);
  assert.equal(bench.exits.length, before, 'nothing ran, so nothing ended');
});

test('a conmon that is killed is told as lost', async () => {
  const { id, pid, conmonPid } = await bench.create({ args: ['sleep', '100'] });
  await (await bench.runtime()).start(id);
  assert.equal(readFileSync(`/proc/${conmonPid}/comm`, 'latin1'), 'conmon\n');
  process.kill(conmonPid, 'SIGKILL');
  await until(() => bench.lost.includes(id), { what: 'the loss to be told' });
  process.kill(pid, 'SIGKILL');
});

test('conmon is out of our session, and no descriptor of ours is in the container', async () => {
  const { id, conmonPid } = await bench.create({ args: ['sleep', '100'] });
  await (await bench.runtime()).start(id);
  const session = (pid: number | 'self'): string =>
    readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ')[3] ?? '';
  assert.notEqual(session(conmonPid), session('self'));
  const { connection } = await bench.exec(id, { Cmd: ['ls', '/proc/self/fd'] });
  // 3 is ls's own, reading the directory.
  assert.equal((await readAll(connection)).stdout, '0\n1\n2\n3\n');
  await (await bench.runtime()).delete(id, { force: true });
});

test('stdin reaches the process and its end does, while output goes on', async () => {
  const text = 'x'.repeat(3_000_000);
  assert.equal((await bench.run({ args: ['wc', '-c'] }, text)).stdout, '3000000\n');
  assert.equal(
    (await bench.run({ args: ['sh', '-c', 'cat; sleep 0.1; echo after'] }, 'hello\n')).stdout,
    'hello\nafter\n',
  );
});

test('several clients all get everything; a client without stdin leaves it alone when it goes', async () => {
  const { id } = await bench.create({ args: ['cat'], config: { OpenStdin: true, StdinOnce: true } });
  const directory = bench.bundle(id);
  const watching = bench.monitor.attach({ directory, stdin: false });
  const leaving = bench.monitor.attach({ directory, stdin: false });
  const typing = bench.monitor.attach({ directory, stdin: true });
  const outputs = Promise.all([readAll(watching), readAll(typing)]);
  await (await bench.runtime()).start(id);
  await leaving[Symbol.asyncDispose]();
  await delay(100);
  typing.stdin.end('still here\n');
  assert.deepEqual(
    (await outputs).map((output) => output.stdout),
    ['still here\n', 'still here\n'],
  );
  assert.equal((await bench.ended(id)).exitCode, 0);
});

test('a slow client loses nothing and holds the process back', async () => {
  const { id } = await bench.create({ args: ['head', '-c', '20000000', '/dev/zero'] });
  const connection = bench.monitor.attach({ directory: bench.bundle(id), stdin: true });
  await (await bench.runtime()).start(id);
  await delay(300);
  assert.ok(!bench.exits.some((exit) => exit.id === id), 'it ended although nobody read');
  assert.equal((await readAll(connection)).stdout.length, 20_000_000);
});

test('a terminal takes its size, gives one stream, and stays open for the next client', async () => {
  const { id } = await bench.create({
    args: ['sh', '-c', 'read a; stty size; read b; echo "<$a$b>"'],
    config: { Tty: true, OpenStdin: true, StdinOnce: true },
  });
  const directory = bench.bundle(id);
  const first = bench.monitor.attach({ directory, stdin: true });
  await bench.monitor.resize(directory, { height: 33, width: 77 });
  await (await bench.runtime()).start(id);
  first.stdin.write('one\n');
  let seen = '';
  for await (const frame of first.output as AsyncIterable<{ stream: string; data: Buffer }>) {
    assert.equal(frame.stream, 'stdout');
    seen += frame.data.toString();
    if (seen.includes('33 77')) break;
  }
  await first[Symbol.asyncDispose]();
  const second = bench.monitor.attach({ directory, stdin: true });
  second.stdin.write('two\n');
  assert.match((await readAll(second)).stdout, /<onetwo>/);
  await bench.ended(id);
  const resize = (): Promise<boolean> => bench.monitor.resize(directory, { height: 1, width: 1 }).then(() => false);
  const isGone = (error: unknown): boolean =>
    error instanceof Error && 'code' in error && error.code === 'MONITOR_GONE';
  await until(() => resize().catch(isGone), { what: 'a resize to be refused' });
});

test('execs run beside the container, with stdin, exit code and failures of their own', async () => {
  const { id } = await bench.create({ args: ['sleep', '100'] });
  await (await bench.runtime()).start(id);
  const exec = await bench.exec(id, { Cmd: ['sh', '-c', 'cat; echo err >&2; exit 7'], AttachStdin: true });
  exec.connection.stdin.end('in\n');
  assert.deepEqual(await readAll(exec.connection), { stdout: 'in\n', stderr: 'err\n' });
  const exit = await bench.ended(exec.id);
  assert.deepEqual([exit.kind, exit.containerId, exit.exitCode], ['exec', id, 7]);
  const many = await Promise.all(
    Array.from({ length: 10 }, async (_, n) => {
      const { connection } = await bench.exec(id, { Cmd: ['echo', String(n)] });
      return (await readAll(connection)).stdout;
    }),
  );
  assert.deepEqual(
    many,
    Array.from({ length: 10 }, (_, n) => `${n}\n`),
  );
  await assert.rejects(bench.exec(id, { Cmd: ['nope'] }), /nope/);
  const tty = await bench.exec(id, { Cmd: ['tty'], Tty: true, ConsoleSize: [10, 20] });
  assert.match((await readAll(tty.connection)).stdout, /^\/dev\/pts\/\d+\r\n$/);
  assert.equal((await bench.ended(tty.id)).exitCode, 0);
  await (await bench.runtime()).delete(id, { force: true });
});

test('an exec whose client is gone before its start does not run', async () => {
  const { id } = await bench.create({ args: ['sleep', '100'] });
  await (await bench.runtime()).start(id);
  // Many at once, so that some are given up before the runtime has opened what it reads the process from.
  const given = Array.from({ length: 30 }, () =>
    assert.rejects(
      bench.exec(id, { Cmd: ['touch', '/ran'] }, () => Promise.reject(new Error('gone'))),
      /gone/,
    ),
  );
  await Promise.all(given);
  const { connection } = await bench.exec(id, { Cmd: ['ls', '/ran'] });
  assert.match((await readAll(connection)).stderr, /No such file/);
  await (await bench.runtime()).delete(id, { force: true });
});

test('an exec that was prepared and never started leaves nothing, given up or left by a former life', async () => {
  const { id } = await bench.create({ args: ['sleep', '100'] });
  await (await bench.runtime()).start(id);
  const before = bench.conmons().length;
  // At every moment of its preparation.
  for (const waitMs of [0, 2, 4, 8, 16, 100]) {
    const prepared = await bench.prepareExec(id, randomHex(32));
    await delay(waitMs);
    await prepared.withdraw();
    await prepared.withdraw();
    await assert.rejects(
      prepared.start('{}', () => Promise.resolve()),
      /./,
    );
    await bench.prepareExec(id, randomHex(32));
    await delay(waitMs);
    assert.equal(releaseLeftExecs(bench.execs, 'process.json').length, 1);
  }
  await until(() => bench.conmons().length === before, { what: 'the prepared conmons to end' });
  await (await bench.runtime()).delete(id, { force: true });
});

test('an exec has as long a command line and environment as it likes', async () => {
  const { id } = await bench.create({ args: ['sleep', '100'] });
  await (await bench.runtime()).start(id);
  const { connection } = await bench.exec(id, { Cmd: ['sh', '-c', 'echo ${#A} ${#B}'], Env: longEnvironment });
  assert.equal((await readAll(connection)).stdout, '120000 120000\n');
  await (await bench.runtime()).delete(id, { force: true });
});

test('the end of an exec is told to the next life', async () => {
  const { id } = await bench.create({ args: ['sleep', '100'] });
  await (await bench.runtime()).start(id);
  const exec = await bench.exec(id, { Cmd: ['sh', '-c', 'sleep 0.3; exit 5'] });
  await exec.connection[Symbol.asyncDispose]();
  bench.reopenMonitor();
  assert.equal((await bench.ended(exec.id)).exitCode, 5);
  assert.equal(bench.exits.filter((seen) => seen.id === exec.id).length, 1);
  await (await bench.runtime()).delete(id, { force: true });
});
