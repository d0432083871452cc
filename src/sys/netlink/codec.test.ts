import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  attribute,
  decodeAttributes,
  decodeMessages,
  encodeMessage,
  nestedAttribute,
  NLM_F,
  NLMSG,
  readText,
  readU32,
  textAttribute,
  u32Attribute,
} from './codec.ts';
import { decodeAck, netlinkError } from './transport.ts';

test('attributes are padded to four bytes and read back', () => {
  const bytes = Buffer.concat([textAttribute(3, 'berth0'), u32Attribute(4, 1500), attribute(9, Buffer.alloc(0))]);
  assert.equal(bytes.length % 4, 0);
  const attributes = decodeAttributes(bytes);
  assert.equal(readText(attributes.get(3)), 'berth0');
  assert.equal(readU32(attributes.get(4)), 1500);
  assert.equal(attributes.get(9)?.length, 0);
});

test('nested attributes carry the flag, which reading takes off', () => {
  const outer = nestedAttribute(18, textAttribute(1, 'veth'));
  assert.equal(outer.readUInt16LE(2), 18 | 0x8000);
  const inner = decodeAttributes(outer).get(18);
  assert.equal(readText(decodeAttributes(inner ?? Buffer.alloc(0)).get(1)), 'veth');
});

test('decodeMessages splits a datagram and leaves out a cut-off message', () => {
  const one = encodeMessage({ type: 16, flags: 5, sequence: 7, body: Buffer.from('abcd') });
  const two = encodeMessage({ type: 3, flags: 2, sequence: 7, body: Buffer.alloc(4) });
  const messages = decodeMessages(Buffer.concat([one, two]));
  assert.deepEqual(
    messages.map(({ type, sequence }) => [type, sequence]),
    [
      [16, 7],
      [3, 7],
    ],
  );
  assert.equal(messages[0]?.body.toString(), 'abcd');
  assert.equal(decodeMessages(Buffer.concat([one, two]).subarray(0, one.length + 18)).length, 1);
});

test('decoders survive any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      decodeAttributes(Buffer.from(bytes));
      decodeMessages(Buffer.from(bytes));
    }),
  );
});

test('a refused request becomes an error with the words of the kernel', () => {
  const body = Buffer.concat([Buffer.alloc(4 + 16), textAttribute(1, 'name is too long')]);
  body.writeInt32LE(-34, 0);
  const flags = NLM_F.CAPPED | NLM_F.ACK_TLVS;
  const ack = decodeAck({ type: NLMSG.ERROR, flags, sequence: 1, body });
  assert.deepEqual(ack, { errno: 34, text: 'name is too long' });
  const error = netlinkError(ack.errno, ack.text, { action: 'create veth', subject: 'x' });
  assert.equal(error.kind, 'invalidArgument');
  assert.match(error.message, /^create veth x: .* \(name is too long\)$/);
  assert.equal(decodeAck({ type: NLMSG.ERROR, flags: 0, sequence: 1, body: Buffer.alloc(20) }).errno, 0);
});
