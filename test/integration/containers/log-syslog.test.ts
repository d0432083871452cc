import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { refuses, useEngine } from '../../helpers/engine.ts';
import {
  type LogReceiver,
  streamReceiver,
  textReceived,
  udpReceiver,
  unixgramReceiver,
} from '../../helpers/log-receivers.ts';
import { berthOnly } from '../../helpers/target.ts';
import { until } from '../../helpers/until.ts';

const engine = useEngine();

async function runLogging(
  t: TestContext,
  script: string,
  Config: Record<string, string>,
  name?: string,
): Promise<string> {
  return await engine.run(t, script, { HostConfig: { LogConfig: { Type: 'syslog', Config } } }, name);
}

async function untilReceived(receiver: LogReceiver, text: string): Promise<string> {
  return await until(() => textReceived(receiver).includes(text) && textReceived(receiver), {
    what: `${JSON.stringify(text)} at ${receiver.address}`,
    timeoutMs: 30_000,
  });
}

function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'berth-log-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function certificate(directory: string): { cert: string; key: string; certPath: string } {
  const [keyPath, certPath] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
  const files = ['-keyout', keyPath, '-out', certPath];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject, ...files], {
    stdio: 'ignore',
  });
  return { cert: readFileSync(certPath, 'utf8'), key: readFileSync(keyPath, 'utf8'), certPath };
}

const stamp = String.raw`[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d`;

describe('syslog', { concurrency: 4 }, () => {
  test('messages come by UDP with facility, severity, tag and time', async (t) => {
    const receiver = await udpReceiver();
    t.after(() => receiver.stop());
    const Config = { 'syslog-address': receiver.address, 'syslog-facility': 'local3', tag: '{{.Name}}/{{upper "x"}}' };
    const name = `syslog-${process.pid}`;
    const id = await runLogging(t, 'echo one; echo; usleep 100000; echo two >&2', Config, name);
    await untilReceived(receiver, 'two');
    assert.equal(receiver.received.length, 2);
    const [one, two] = receiver.received.map(String);
    assert.match(one ?? '', new RegExp(String.raw`^<158>${stamp} ${name}/X\[\d+\]: one\n$`));
    assert.match(two ?? '', new RegExp(String.raw`^<155>${stamp} ${name}/X\[\d+\]: two\n$`));
    await engine.wait(id);
  });

  const formats: Record<string, RegExp> = {
    rfc3164: new RegExp(String.raw`^<30>${stamp} \S+ [0-9a-f]{12}\[\d+\]: hello\n$`),
    rfc5424: /^<30>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d) \S+ ([0-9a-f]{12}) \d+ \2 - hello\n$/,
    rfc5424micro: /^<30>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d) \S+ ([0-9a-f]{12}) \d+ \2 - hello\n$/,
  };
  for (const [format, shape] of Object.entries(formats)) {
    test(`the format ${format} over TCP`, async (t) => {
      const receiver = await streamReceiver();
      t.after(() => receiver.stop());
      await runLogging(t, 'echo hello', { 'syslog-address': receiver.address, 'syslog-format': format });
      assert.match(await untilReceived(receiver, 'hello\n'), shape);
    });
  }

  test('TLS with a certificate to check, the length before each message', async (t) => {
    const { cert, key, certPath } = certificate(scratch(t));
    const receiver = await streamReceiver({ tls: { cert, key } });
    t.after(() => receiver.stop());
    const Config = {
      'syslog-address': receiver.address,
      'syslog-format': 'rfc5424',
      'syslog-tls-ca-cert': certPath,
    };
    await runLogging(t, 'echo hello', Config);
    const [, length, message] = /^(\d+) (.*\n)$/s.exec(await untilReceived(receiver, 'hello\n')) ?? [];
    assert.equal(Number(length), Buffer.byteLength(message ?? ''));
  });

  for (const kind of ['unix', 'unixgram']) {
    test(`a ${kind} socket`, async (t) => {
      const path = join(scratch(t), 'log.sock');
      const receiver = kind === 'unix' ? await streamReceiver({ path }) : unixgramReceiver(path);
      t.after(() => receiver.stop());
      await runLogging(t, 'n=0; while [ $n -lt 2000 ]; do n=$((n+1)); echo "line $n"; done', {
        'syslog-address': receiver.address,
      });
      const text = await untilReceived(receiver, 'line 2000\n');
      assert.deepEqual(
        text.match(/line \d+\n/g),
        Array.from({ length: 2000 }, (_none, index) => `line ${index + 1}\n`),
      );
    });
  }

  test('logs reads what was sent away, unless the cache is disabled', async (t) => {
    const receiver = await streamReceiver();
    t.after(() => receiver.stop());
    const id = await runLogging(t, 'echo hello', { 'syslog-address': receiver.address });
    await engine.wait(id);
    assert.equal((await engine.logs(id)).stdout, 'hello\n');
    const blind = await runLogging(t, 'echo hello', { 'syslog-address': receiver.address, 'cache-disabled': 'true' });
    await engine.wait(blind);
    await refuses(engine.logs(blind), 500, /^configured logging driver does not support reading$/);
  });

  test('options that cannot be are refused', async (t) => {
    const create = (Config: Record<string, string>): Promise<string> =>
      engine.create(t, { HostConfig: { LogConfig: { Type: 'syslog', Config } } });
    await refuses(create({ foo: '1' }), 400, /^unknown log opt 'foo' for syslog log driver$/);
    await refuses(create({ 'syslog-facility': 'zz' }), 400, /^invalid syslog facility$/);
    await refuses(create({ 'syslog-format': 'zz' }), 400, /^Invalid syslog format$/);
    await refuses(create({ 'syslog-address': 'unix:///nope' }), 400, /^stat \/nope: no such file or directory$/);
    await refuses(create({ 'cache-disabled': 'zz' }), 400, /^invalid value for option cache-disabled: zz$/);
  });
});

describe('a receiver of syslog', { ...berthOnly, concurrency: false }, () => {
  const counting =
    'n=0; while ! test -e /stop; do n=$((n+1)); echo "line $n"; test $((n % 50)) = 0 && usleep 50000; done; echo end';
  const numbers = (text: string): number[] => [...text.matchAll(/line (\d+)\n/g)].map(([, number]) => Number(number));

  for (const kind of ['tcp', 'udp', 'unix', 'unixgram'] as const) {
    test(`that goes away and comes back by ${kind} misses nothing`, async (t) => {
      const path = join(scratch(t), 'log.sock');
      const receiver = await {
        tcp: () => streamReceiver(),
        udp: () => udpReceiver(),
        unix: () => streamReceiver({ path }),
        unixgram: () => Promise.resolve(unixgramReceiver(path)),
      }[kind]();
      t.after(() => receiver.stop());
      const id = await runLogging(t, counting, { 'syslog-address': receiver.address });
      for (let round = 0; round < 2; round++) {
        const before = receiver.received.length;
        await until(() => receiver.received.length > before + 3, { what: 'more messages' });
        await receiver.stop();
        const { stdout } = await engine.logs(id);
        await until(async () => (await engine.logs(id)).stdout.length > stdout.length + 1000, { what: 'more output' });
        await receiver.start();
      }
      await engine.exec(id, 'touch /stop');
      const text = await untilReceived(receiver, 'end\n');
      const seen = new Set(numbers(text));
      const last = Math.max(...seen);
      assert.ok(last > 100);
      assert.deepEqual(
        Array.from({ length: last }, (_none, index) => index + 1).filter((number) => !seen.has(number)),
        [],
      );
    });
  }

  test('gets every line once, however often the daemon is restarted', async (t) => {
    const receiver = await streamReceiver();
    t.after(() => receiver.stop());
    const id = await runLogging(t, counting, { 'syslog-address': receiver.address });
    for (let round = 0; round < 3; round++) {
      const before = receiver.received.length;
      await until(() => receiver.received.length > before + 3, { what: 'more messages' });
      await engine.daemon.restart();
    }
    await engine.exec(id, 'touch /stop');
    const lines = numbers(await untilReceived(receiver, 'end\n'));
    assert.deepEqual(
      lines,
      Array.from({ length: lines.length }, (_none, index) => index + 1),
    );
  });

  test('gets every line though the daemon is killed', async (t) => {
    const receiver = await streamReceiver();
    t.after(() => receiver.stop());
    const id = await runLogging(t, counting, { 'syslog-address': receiver.address });
    for (let round = 0; round < 3; round++) {
      const before = receiver.received.length;
      await until(() => receiver.received.length > before + 3, { what: 'more messages' });
      await engine.daemon.kill9();
      await engine.daemon.launch();
    }
    await engine.exec(id, 'touch /stop');
    const seen = new Set(numbers(await untilReceived(receiver, 'end\n')));
    assert.equal(Math.max(...seen), seen.size);
  });

  test('that was away when the container ended gets the rest from the next daemon', async (t) => {
    const receiver = await streamReceiver();
    t.after(() => receiver.stop());
    await receiver.stop();
    const id = await runLogging(t, 'echo hello; printf "no end"', { 'syslog-address': receiver.address });
    await engine.wait(id);
    await engine.daemon.restart();
    await receiver.start();
    const text = await untilReceived(receiver, 'no end\n');
    assert.equal(text.match(/hello\n/g)?.length, 1);
  });

  test('what was delivered when the daemon died at log-delivered comes again, and nothing is missed', async (t) => {
    const receiver = await streamReceiver();
    t.after(() => receiver.stop());
    await engine.daemon.terminate();
    await engine.daemon.launch({ BERTH_FAILPOINTS: 'log-delivered' });
    const id = await runLogging(t, counting, { 'syslog-address': receiver.address });
    await engine.daemon.exited();
    await engine.daemon.launch();
    await engine.exec(id, 'touch /stop');
    const seen = numbers(await untilReceived(receiver, 'end\n'));
    const last = seen.at(-1) ?? 0;
    assert.deepEqual(
      [...new Set(seen)].toSorted((a, b) => a - b),
      Array.from({ length: last }, (_none, index) => index + 1),
    );
  });
});
