import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { gunzipSync, inflateSync } from 'node:zlib';
import { decode, decodeMulti, encode } from '@msgpack/msgpack';
import { refuses, useEngine } from '../../helpers/engine.ts';
import {
  type LogReceiver,
  streamReceiver,
  textReceived,
  udpReceiver,
  unixgramReceiver,
} from '../../helpers/log-receivers.ts';
import { berthOnly, isBerth } from '../../helpers/target.ts';
import { until } from '../../helpers/until.ts';

const scratch = mkdtempSync(join(tmpdir(), 'berth-log-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
const journalPath = join(scratch, 'journal.sock');
const engine = useEngine({ env: { BERTH_JOURNAL_SOCKET: journalPath } });

async function runLogging(
  t: TestContext,
  script: string,
  LogConfig: { Type: string; Config: Record<string, string> },
): Promise<string> {
  return await engine.run(t, script, { Labels: { team: 'red' }, HostConfig: { LogConfig } });
}

async function untilReceived<T>(what: string, check: () => T | undefined | false): Promise<T> {
  return await until(check, { what, timeoutMs: 30_000 });
}

/** The messages of GELF packets, chunks put together. */
function gelfMessages(receiver: LogReceiver): Record<string, unknown>[] {
  const parts = new Map<string, Buffer[]>();
  const whole: Buffer[] = [];
  for (const packet of receiver.received) {
    if (packet.readUInt16BE(0) !== 0x1e0f) {
      whole.push(packet);
      continue;
    }
    const id = packet.toString('hex', 2, 10);
    const chunks = parts.get(id) ?? [];
    parts.set(id, chunks);
    chunks[packet[10] ?? 0] = packet.subarray(12);
    if (Object.keys(chunks).length === packet[11]) whole.push(Buffer.concat(chunks));
  }
  return whole.map((bytes) => {
    const text = bytes[0] === 0x1f ? gunzipSync(bytes) : bytes[0] === 0x78 ? inflateSync(bytes) : bytes;
    return JSON.parse(text.toString('utf8')) as Record<string, unknown>;
  });
}

function events(receiver: LogReceiver): [string, unknown, Record<string, string>, Record<string, string>][] {
  return [...decodeMulti(Buffer.concat(receiver.received))] as ReturnType<typeof events>;
}

describe('gelf', { concurrency: 3 }, () => {
  for (const type of ['gzip', 'zlib', 'none']) {
    test(`by UDP, compression ${type}, long lines in chunks`, async (t) => {
      const receiver = await udpReceiver();
      t.after(() => receiver.stop());
      const Config = { 'gelf-address': receiver.address, 'gelf-compression-type': type, labels: 'team', tag: 'x' };
      const id = await runLogging(
        t,
        'echo one >&2; usleep 50000; head -c 9000 /dev/urandom | base64 | tr -d "\\n"; echo',
        {
          Type: 'gelf',
          Config,
        },
      );
      const messages = await untilReceived('two messages', () => {
        const found = gelfMessages(receiver);
        return found.length >= 2 && found;
      });
      const { timestamp, _created, _container_name, host, ...first } = messages[0] ?? {};
      assert.deepEqual(first, {
        version: '1.1',
        short_message: 'one',
        level: 3,
        _command: 'sh -c echo one >&2; usleep 50000; head -c 9000 /dev/urandom | base64 | tr -d "\\n"; echo',
        _container_id: id,
        _image_id: (await engine.inspect(id)).Image,
        _image_name: (await engine.inspect(id)).Config.Image,
        _tag: 'x',
        _team: 'red',
      });
      assert.ok(typeof timestamp === 'number' && Math.abs(timestamp - Date.now() / 1000) < 60);
      assert.ok(_created && _container_name && host);
      assert.equal(String(messages[1]?.['short_message']).length, 12_000);
    });
  }

  test('by TCP with a zero after each message', async (t) => {
    const receiver = await streamReceiver();
    t.after(() => receiver.stop());
    await runLogging(t, 'echo one; echo two', { Type: 'gelf', Config: { 'gelf-address': receiver.address } });
    const text = await untilReceived(
      'two messages',
      () => textReceived(receiver).endsWith('\0') && textReceived(receiver).includes('"two"') && textReceived(receiver),
    );
    const lines = text
      .split('\0')
      .slice(0, -1)
      .map((json) => (JSON.parse(json) as { short_message: string }).short_message);
    assert.deepEqual(lines, ['one', 'two']);
  });

  test('options that cannot be are refused', async (t) => {
    const create = (Config: Record<string, string>): Promise<string> =>
      engine.create(t, { HostConfig: { LogConfig: { Type: 'gelf', Config } } });
    await refuses(create({}), 400, /^gelf-address is a required parameter$/);
    await refuses(
      create({ 'gelf-address': 'udp://x' }),
      400,
      /^gelf: please provide gelf-address as proto:\/\/host:port$/,
    );
    await refuses(
      create({ 'gelf-address': 'tcp://x:1', 'gelf-compression-type': 'none' }),
      400,
      /^compression is only supported on UDP$/,
    );
    await refuses(
      create({ 'gelf-address': 'udp://x:1', foo: 'z' }),
      400,
      /^unknown log opt "foo" for gelf log driver$/,
    );
  });
});

describe('fluentd', { concurrency: 3 }, () => {
  test('events of the forward protocol by TCP', async (t) => {
    const receiver = await streamReceiver();
    t.after(() => receiver.stop());
    const Config = {
      'fluentd-address': receiver.address.slice('tcp://'.length),
      labels: 'team',
      tag: 'docker.{{.Name}}',
    };
    const id = await runLogging(t, 'echo one; usleep 50000; echo two >&2', { Type: 'fluentd', Config });
    const [one, two] = await untilReceived(
      'two events',
      () => textReceived(receiver).includes('two') && events(receiver),
    );
    const { Name } = await engine.inspect(id);
    assert.equal(one?.[0], `docker.${Name.slice(1)}`);
    assert.ok(typeof one[1] === 'number');
    assert.deepEqual(one[2], { container_id: id, container_name: Name, source: 'stdout', log: 'one', team: 'red' });
    assert.deepEqual(one[3], {});
    assert.equal(two?.[2]['source'], 'stderr');
  });

  test('every event is acknowledged before it counts as delivered', { ...berthOnly }, async (t) => {
    let silent = true;
    const receiver = await streamReceiver({
      path: join(scratch, 'fluentd.sock'),
      onData: (data, socket) => {
        if (silent) return;
        for (const [, , , { chunk }] of decodeMulti(data) as Iterable<[unknown, unknown, unknown, { chunk: string }]>) {
          socket.write(encode({ ack: chunk }));
        }
      },
    });
    t.after(() => receiver.stop());
    const Config = {
      'fluentd-address': receiver.address,
      'fluentd-request-ack': 'true',
      'fluentd-read-timeout': '200ms',
      'fluentd-retry-wait': '100ms',
      'fluentd-async': 'true',
      'fluentd-sub-second-precision': 'true',
    };
    const id = await runLogging(t, 'echo hello; sleep 3600', { Type: 'fluentd', Config });
    await untilReceived('the event twice', () => events(receiver).length >= 2);
    silent = false;
    const count = (): number => events(receiver).length;
    await engine.exec(id, 'echo more > /proc/1/fd/1');
    await untilReceived('the next event', () => textReceived(receiver).includes('more'));
    await engine.daemon.restart();
    const seen = count();
    await engine.exec(id, 'echo last > /proc/1/fd/1');
    await untilReceived('the last event', () => textReceived(receiver).includes('last'));
    assert.equal(count(), seen + 1);
    assert.ok(decode(Buffer.concat(receiver.received.slice(0, 1))));
  });

  test('options that cannot be are refused', async (t) => {
    const create = (Config: Record<string, string>): Promise<string> =>
      engine.create(t, { HostConfig: { LogConfig: { Type: 'fluentd', Config } } });
    await refuses(create({ 'fluentd-retry-wait': 'xx' }), 400, /^time: invalid duration "xx"$/);
    await refuses(create({ 'fluentd-buffer-limit': 'xx' }), 400, /^invalid size: 'xx'$/);
    if (isBerth) {
      await refuses(
        create({ 'fluentd-address': 'http://x' }),
        400,
        /^invalid fluentd-address \(http:\/\/x\): unsupported scheme: 'http'$/,
      );
    }
  });
});

describe('journald', { ...berthOnly, concurrency: false }, () => {
  test('entries come by the native protocol', async (t) => {
    await refuses(
      runLogging(t, 'echo x', { Type: 'journald', Config: {} }),
      500,
      /failed to initialize logging driver: journald is not enabled on this host$/,
    );
    const receiver = unixgramReceiver(journalPath);
    t.after(() => receiver.stop());
    const big = 'x'.repeat(150_000);
    const id = await engine.run(t, 'echo one; echo two >&2', {
      Labels: { big },
      HostConfig: { LogConfig: { Type: 'journald', Config: { labels: 'big', tag: 'x' } } },
    });
    await untilReceived('two entries', () => receiver.received.length >= 2);
    const entry = receiver.received.map(String).find((text) => text.includes('MESSAGE=one\n')) ?? '';
    assert.match(entry, new RegExp(`\\nCONTAINER_ID_FULL=${id}\\n`));
    assert.match(entry, /^PRIORITY=6\n/);
    assert.ok(entry.includes(`\nBIG=${big}\n`));
    assert.ok(receiver.received.some((text) => text.includes('MESSAGE=two\n') && text.includes('PRIORITY=3\n')));
  });

  test('a driver that there is not is refused', async (t) => {
    const create = engine.create(t, { HostConfig: { LogConfig: { Type: 'awslogs', Config: {} } } });
    await refuses(create, 400, /^logger: no log driver named 'awslogs' is registered$/);
  });
});
