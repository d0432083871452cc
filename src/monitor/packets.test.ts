import assert from 'node:assert/strict';
import { test } from 'node:test';
import { receivePackets } from './packets.ts';

/** A socket holding these packets; an empty one is the end. */
function socket(...packets: string[]): (into: Uint8Array) => number | undefined {
  return (into) => {
    const packet = packets.shift();
    return packet === undefined ? undefined : Buffer.from(packet, 'latin1').copy(into);
  };
}
const read = (receive: (into: Uint8Array) => number | undefined): { frames: [string, string][]; ended: boolean } => {
  const { frames, ended } = receivePackets(receive, Buffer.alloc(256 * 1024));
  return { frames: frames.map((frame) => [frame.stream, frame.data.toString()]), ended };
};

test('receivePackets joins neighbours of one stream and keeps the order of the streams', () => {
  assert.deepEqual(read(socket('\x02one ', '\x02two', '\x03bad', '\x02three')), {
    frames: [
      ['stdout', 'one two'],
      ['stderr', 'bad'],
      ['stdout', 'three'],
    ],
    ended: false,
  });
});

test('receivePackets tells the end, also behind data', () => {
  assert.deepEqual(read(socket('\x02bye', '')), { frames: [['stdout', 'bye']], ended: true });
  assert.deepEqual(read(socket('')), { frames: [], ended: true });
  assert.deepEqual(read(socket()), { frames: [], ended: false });
});

test('receivePackets stops at the size of its memory and leaves the rest for the next call', () => {
  const packets = Array.from({ length: 40 }, (_, n) => `\x02${String.fromCharCode(65 + n).repeat(8192)}`);
  const receive = socket(...packets);
  const scratch = Buffer.alloc(256 * 1024);
  const bytes: Buffer[] = [];
  let batches = 0;
  for (let got = receivePackets(receive, scratch); got.frames.length > 0; got = receivePackets(receive, scratch)) {
    batches++;
    bytes.push(...got.frames.map((frame) => frame.data));
  }
  const expected = Array.from({ length: 40 }, (_, n) => String.fromCharCode(65 + n).repeat(8192)).join('');
  assert.equal(Buffer.concat(bytes).toString('latin1'), expected);
  assert.equal(batches, 2);
});
