import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode, ExtData } from '@msgpack/msgpack';
import type { LogInfo, LogMessage } from './contract.ts';
import { fluentdEncoder } from './fluentd.ts';
import { chunks, gelfEncoder } from './gelf.ts';
import { journalEncoder } from './journald.ts';
import { closeLines, splitMessages } from './message-splitter.ts';
import { parseAddress } from './options.ts';

const info: LogInfo = {
  containerId: 'c'.repeat(64),
  containerName: 'web',
  imageId: 'sha256:1',
  imageName: 'busybox',
  command: 'sh -c x',
  created: '2024-05-01T10:00:00.5Z',
  tag: 'cccccccccccc',
  attributes: { 'a.b': '1', _c: '2' },
  hostname: 'host',
};
const message = (text: string, more: Partial<LogMessage> = {}): LogMessage => ({
  stream: 'stdout',
  time: 1_714_557_600_123_456_789n,
  data: Buffer.from(text),
  ...more,
});

test('gelfEncoder gives dockerd’s members in its order', () => {
  assert.equal(
    gelfEncoder(info)(message('hi', { stream: 'stderr' })),
    '{"version":"1.1","host":"host","short_message":"hi","timestamp":1714557600.123,"level":3,"_a.b":"1","_c":"2",' +
      '"_command":"sh -c x","_container_id":"' +
      `${'c'.repeat(64)}","_container_name":"web","_created":"2024-05-01T10:00:00.5Z","_image_id":"sha256:1",` +
      '"_image_name":"busybox","_tag":"cccccccccccc"}',
  );
});

test('chunks numbers the packets of a long message', () => {
  assert.deepEqual(chunks(Buffer.alloc(1420, 1), Buffer.alloc(8)), [Buffer.alloc(1420, 1)]);
  const whole = Buffer.from(Array.from({ length: 4000 }, (_none, index) => index & 255));
  const packets = chunks(whole, Buffer.from('abcdefgh'));
  assert.deepEqual(
    packets.map((packet) => packet.subarray(0, 12).toString('latin1')),
    [0, 1, 2].map((index) => `\x1e\x0fabcdefgh${String.fromCharCode(index)}\x03`),
  );
  assert.deepEqual(Buffer.concat(packets.map((packet) => packet.subarray(12))), whole);
});

test('fluentdEncoder gives tag, time, record and options', () => {
  const partial = { id: 'x', ordinal: 2, last: true };
  const record = {
    container_id: 'c'.repeat(64),
    container_name: '/web',
    source: 'stdout',
    log: 'hi',
    'a.b': '1',
    _c: '2',
  };
  assert.deepEqual(decode(fluentdEncoder(info, false)(message('hi'), 'id')), [
    'cccccccccccc',
    1_714_557_600,
    record,
    { chunk: 'id' },
  ]);
  const [, time, pieces] = decode(fluentdEncoder(info, true)(message('hi', { partial }), undefined)) as unknown[];
  assert.ok(time instanceof ExtData && time.type === 0 && typeof time.data !== 'function');
  const words = Buffer.from(time.data);
  assert.deepEqual([words.readUInt32BE(0), words.readUInt32BE(4)], [1_714_557_600, 123_456_789]);
  assert.deepEqual(pieces, {
    ...record,
    partial_message: 'true',
    partial_id: 'x',
    partial_ordinal: '2',
    partial_last: 'true',
  });
});

test('journalEncoder writes a value of several lines with its length', () => {
  const entry = journalEncoder(info, 'e')(message('a\nb')).toString('latin1');
  assert.ok(entry.includes('MESSAGE\n\x03\0\0\0\0\0\0\0a\nb\n'));
  assert.match(entry, /^PRIORITY=6\nSYSLOG_TIMESTAMP=2024-05-01T10:00:00.123456789Z\nCONTAINER_LOG_ORDINAL=1\n/);
  assert.match(entry, /\nCONTAINER_ID=cccccccccccc\n.*\nA_B=1\nC=2\n/s);
});

test('splitMessages joins parts and cuts long lines, across batches', () => {
  const time = '2024-05-01T10:00:00.000000001+00:00';
  const first = splitMessages(Buffer.from(`${time} stdout P ${'x'.repeat(20_000)}\n${time} stderr F e\n`), {});
  assert.deepEqual(
    first.messages.map(({ stream, data, partial }) => [stream, data.length, partial?.ordinal, partial?.last]),
    [
      ['stdout', 16_384, 1, false],
      ['stderr', 1, undefined, undefined],
    ],
  );
  const second = splitMessages(Buffer.from(`${time} stdout F yz\n`), first.open);
  assert.deepEqual(
    second.messages.map(({ data, partial }) => [data.length, partial?.ordinal, partial?.last]),
    [[20_000 - 16_384 + 2, 2, true]],
  );
  assert.equal(second.messages[0]?.partial?.id, first.messages[0]?.partial?.id);
  assert.deepEqual([closeLines(first.open).length, closeLines(second.open).length], [1, 0]);
});

test('parseAddress takes URLs apart as Go does', () => {
  assert.deepEqual(parseAddress('tcp://[::1]:5'), { scheme: 'tcp', host: '::1', port: 5, path: '' });
  assert.deepEqual(parseAddress('unix:///a/b'), { scheme: 'unix', host: '', port: undefined, path: '/a/b' });
  assert.throws(() => parseAddress('tcp://a:b:c'), { message: 'parse "tcp://a:b:c": invalid port ":c" after host' });
});
