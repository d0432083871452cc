import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeStdcopyFrame, encodeStdcopyHeader, StdcopyDecoder, type StdcopyStream } from './stdcopy-frames.ts';

function collect(chunks: Buffer[]): [StdcopyStream, string][] {
  const decoder = new StdcopyDecoder();
  const seen: [StdcopyStream, string][] = [];
  for (const chunk of chunks) {
    for (const { stream, data } of decoder.decode(chunk)) {
      const last = seen.at(-1);
      if (last?.[0] === stream) last[1] += data.toString();
      else seen.push([stream, data.toString()]);
    }
  }
  decoder.finish();
  return seen;
}

const wire = Buffer.concat([
  encodeStdcopyFrame('stdout', Buffer.from('out one\n')),
  encodeStdcopyFrame('stderr', Buffer.alloc(0)),
  encodeStdcopyFrame('stderr', Buffer.from('err\n')),
  encodeStdcopyFrame('systemerr', Buffer.from('oops')),
]);
const expected = [
  ['stdout', 'out one\n'],
  ['stderr', 'err\n'],
  ['systemerr', 'oops'],
];

test('encodeStdcopyHeader is stream, zeros, big-endian length', () => {
  assert.deepEqual([...encodeStdcopyHeader('stderr', 0x01020304)], [2, 0, 0, 0, 1, 2, 3, 4]);
  assert.deepEqual([...encodeStdcopyFrame('stdout', Buffer.from('ab'))], [1, 0, 0, 0, 0, 0, 0, 2, 97, 98]);
});

test('StdcopyDecoder takes any chunk split', () => {
  assert.deepEqual(collect([wire]), expected);
  assert.deepEqual(collect([...wire].map((byte) => Buffer.from([byte]))), expected);
  for (let cut = 1; cut < wire.length; cut++) {
    assert.deepEqual(collect([wire.subarray(0, cut), wire.subarray(cut)]), expected);
  }
});

test('StdcopyDecoder refuses an unknown stream and a truncated end', () => {
  assert.throws(() => collect([Buffer.from([9, 0, 0, 0, 0, 0, 0, 1, 65])]), { code: 'STDCOPY_BAD_STREAM' });
  assert.throws(() => collect([wire.subarray(0, wire.length - 1)]), { code: 'STDCOPY_TRUNCATED' });
  assert.throws(() => collect([wire.subarray(0, 3)]), { code: 'STDCOPY_TRUNCATED' });
});
