import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isUdpTo } from './conntrack.ts';
import { attribute, nestedAttribute } from './netlink/codec.ts';

function tuple(protocol: number, port: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(port);
  return nestedAttribute(2, attribute(1, Buffer.from([protocol])), attribute(2, Buffer.alloc(2)), attribute(3, bytes));
}

test('isUdpTo tells the entries that are meant from others a kernel may list', () => {
  assert.ok(isUdpTo(53, tuple(17, 53)));
  assert.ok(!isUdpTo(53, tuple(17, 54)));
  assert.ok(!isUdpTo(53, tuple(6, 53)));
  assert.ok(!isUdpTo(53, Buffer.alloc(0)));
  assert.ok(!isUdpTo(53, undefined));
});
