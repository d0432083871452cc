import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ipFromBytes, ipToBytes, macFromBytes, macToBytes } from './addresses-text.ts';

test('ipFromBytes writes the shortest form', () => {
  for (const text of [
    '10.0.0.1',
    '::',
    '::1',
    'fe80::1',
    '2001:db8::1:0:0:1',
    '1:2:3:4:5:6:7:8',
    '1:0:3:4:5:6:7:8',
    'a::',
  ]) {
    assert.equal(ipFromBytes(ipToBytes(text)), text);
  }
  assert.equal(ipFromBytes(ipToBytes('2001:db8:0:0:1:0:0:1')), '2001:db8::1:0:0:1');
  assert.equal(ipFromBytes(ipToBytes('::ffff:1.2.3.4')), '::ffff:102:304');
  assert.equal(ipFromBytes(ipToBytes('0:10:0:0:0:0:0:0')), '0:10::');
});

test('ipToBytes undoes ipFromBytes', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(0, 0, 1, 0x10, 255), { minLength: 16, maxLength: 16 }), (numbers) => {
      const bytes = Buffer.from(numbers);
      assert.deepEqual(ipToBytes(ipFromBytes(bytes)), bytes);
    }),
  );
});

test('addresses that are none are refused', () => {
  for (const text of ['', '1.2.3', '300.1.1.1', 'fe80::1%eth0', '::1::']) {
    assert.throws(() => ipToBytes(text), { code: 'SYS_INVALID_ADDRESS' });
  }
  assert.throws(() => macToBytes('02:42'), { code: 'SYS_INVALID_ADDRESS' });
  assert.equal(macFromBytes(macToBytes('02-42-AC-11-00-02')), '02:42:ac:11:00:02');
});
