import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Answer, decode, encode, RECURSION_DESIRED } from 'dns-packet';
import fc from 'fast-check';
import {
  answers,
  encodeName,
  parseQuery,
  PLAIN_UDP_BYTES,
  type Query,
  RCODE,
  TYPE,
  writeAddresses,
  writePointer,
  writeStatus,
  writeTruncated,
} from './message.ts';

const out = Buffer.alloc(65_535);

function ask(name: string, type: 'A' | 'AAAA' | 'PTR' = 'A', opt?: object): Buffer {
  const plain = { udpPayloadSize: 4096, extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false, options: [] };
  const additionals: Answer[] = opt === undefined ? [] : [{ type: 'OPT', name: '.', ...plain, ...opt }];
  return encode({ type: 'query', id: 77, flags: RECURSION_DESIRED, questions: [{ type, name }], additionals });
}

function parsed(packet: Buffer): Query {
  const query = parseQuery(packet);
  assert.ok(!('rcode' in query));
  return query;
}

test('parseQuery reads name, type and EDNS', () => {
  const query = parsed(ask('Web.Front', 'AAAA', { udpPayloadSize: 1232, flags: 0x8000 }));
  assert.equal(query.name, 'web.front');
  assert.equal(query.type, TYPE.AAAA);
  assert.equal(query.udpBytes, 1232);
  assert.deepEqual(query.edns, { dnssecOk: true });
  assert.equal(parsed(ask('web')).udpBytes, PLAIN_UDP_BYTES);
  assert.equal(parsed(ask('web', 'A', { udpPayloadSize: 65_000 })).udpBytes, 4096);
  assert.equal(parsed(ask('web', 'A', { udpPayloadSize: 5 })).udpBytes, PLAIN_UDP_BYTES);
});

test('parseQuery leaves names of ours to those that can be one', () => {
  const strange = ask('web');
  strange[13] = 0x07;
  assert.equal(parsed(strange).name, undefined);
  const dotted = ask('a.b');
  // One label of three bytes, with a dot inside, is another name than two labels.
  dotted.set([3, 0x61, 0x2e, 0x62, 0], 12);
  assert.equal(parsed(dotted).name, undefined);
});

test('parseQuery refuses what is no question', () => {
  const rcode = (packet: Buffer): unknown => {
    const query = parseQuery(packet);
    return 'rcode' in query ? query.rcode : query;
  };
  assert.equal(rcode(Buffer.alloc(5)), undefined);
  const reply = ask('web');
  reply[2] = 0x81;
  assert.equal(rcode(reply), undefined, 'an answer');
  const update = ask('web');
  update[2] = 0x28;
  assert.equal(rcode(update), RCODE.notImplemented);
  const two = ask('web');
  two[5] = 2;
  assert.equal(rcode(two), RCODE.formatError);
  const loop = ask('web');
  loop.set([0xc0, 0x0c], 12);
  assert.equal(rcode(loop), RCODE.formatError, 'a name that points at itself');
  assert.equal(rcode(ask('web').subarray(0, 17)), RCODE.formatError, 'cut off');
  const more = ask('web');
  more[11] = 9;
  assert.equal(rcode(more), RCODE.formatError, 'records that are not there');
});

test('parseQuery takes any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      const query = parseQuery(Buffer.from(bytes));
      if ('rcode' in query) return;
      assert.ok(query.questionEnd <= bytes.length);
      writeStatus(out, Buffer.from(bytes), query, RCODE.noError);
    }),
  );
});

test('writeAddresses answers in the words of the question', () => {
  const packet = ask('WEB.front', 'A', { udpPayloadSize: 4096 });
  const length = writeAddresses(out, packet, parsed(packet), [0xac110002, 0xac110003], 4096);
  const reply = decode(out.subarray(0, length));
  assert.equal(reply.id, 77);
  assert.equal(reply.questions?.[0]?.name, 'WEB.front');
  assert.deepEqual(
    reply.answers?.map((answer) => answer.type === 'A' && [answer.name, answer.ttl, answer.data]),
    [
      ['WEB.front', 600, '172.17.0.2'],
      ['WEB.front', 600, '172.17.0.3'],
    ],
  );
  assert.equal(reply.additionals?.[0]?.type, 'OPT');
  assert.ok(reply.flag_ra && reply.flag_rd && !reply.flag_tc);
});

test('writeAddresses leaves out what does not fit and says so', () => {
  const packet = ask('web');
  const many = Array.from({ length: 100 }, (_, index) => index);
  const length = writeAddresses(out, packet, parsed(packet), many, 512);
  assert.ok(length <= 512);
  const reply = decode(out.subarray(0, length));
  assert.ok(reply.flag_tc);
  assert.equal(reply.answers?.length, 30);
  const whole = decode(out.subarray(0, writeAddresses(out, packet, parsed(packet), many, 65_535)));
  assert.ok(!whole.flag_tc);
  assert.equal(whole.answers?.length, 100);
});

test('writePointer gives a name, or nothing for one that DNS cannot say', () => {
  const packet = ask('2.0.17.172.in-addr.arpa', 'PTR');
  const read = (name: string): unknown[] => {
    const { answers: found = [] } = decode(out.subarray(0, writePointer(out, packet, parsed(packet), name)));
    return found.map((answer) => answer.type === 'PTR' && answer.data);
  };
  assert.deepEqual(read('web.front'), ['web.front']);
  assert.deepEqual(read(`${'x'.repeat(64)}.front`), []);
  assert.equal(encodeName('a..b'), undefined);
  assert.equal(encodeName(Array(200).fill('ab').join('.')), undefined);
});

test('writeStatus tells of an EDNS version that nobody knows', () => {
  const packet = ask('web', 'A', { udpPayloadSize: 4096, ednsVersion: 3 });
  const query = parsed(packet);
  assert.ok(query.badVersion);
  const reply = decode(out.subarray(0, writeStatus(out, packet, query, RCODE.noError)));
  const [opt] = reply.additionals ?? [];
  assert.equal(opt?.type === 'OPT' && opt.extendedRcode, 1);
});

test('answers takes only the answer to the question', () => {
  const packet = ask('Web.example');
  const { questionEnd } = parsed(packet);
  const reply = (change: (bytes: Buffer) => void = () => undefined): Buffer => {
    const bytes = Buffer.from(out.subarray(0, writeStatus(out, packet, parsed(packet), RCODE.nameError)));
    change(bytes);
    return bytes;
  };
  assert.ok(answers(packet, questionEnd, reply()));
  assert.ok(
    answers(
      packet,
      questionEnd,
      reply((bytes) => void bytes.write('wEB', 13)),
    ),
    'other case',
  );
  assert.ok(
    !answers(
      packet,
      questionEnd,
      reply((bytes) => void bytes.writeUInt16BE(78, 0)),
    ),
    'other ID',
  );
  assert.ok(
    !answers(
      packet,
      questionEnd,
      reply((bytes) => void bytes.write('fed', 13)),
    ),
    'other name',
  );
  assert.ok(
    !answers(
      packet,
      questionEnd,
      reply((bytes) => void bytes.writeUInt16BE(28, questionEnd - 4)),
    ),
    'type',
  );
  assert.ok(!answers(packet, questionEnd, packet), 'a question');
  assert.ok(!answers(packet, questionEnd, Buffer.alloc(3)));
});

test('writeTruncated asks to come over TCP', () => {
  const packet = ask('web.example');
  const reply = decode(out.subarray(0, writeTruncated(out, packet, parsed(packet), Buffer.alloc(3000))));
  assert.ok(reply.flag_tc);
  assert.deepEqual(reply.answers, []);
});
