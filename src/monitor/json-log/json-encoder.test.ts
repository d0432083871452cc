import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JsonEncoder, noPendingLines } from './json-encoder.ts';

const time = '2024-05-01T10:00:00.120000000+00:00';

function encode(records: readonly string[], attributes: Record<string, string> = {}): unknown[] {
  const encoder = new JsonEncoder(attributes, noPendingLines());
  const text = records.map((record) => `${record}\n`).join('');
  const out = Buffer.concat([encoder.encode(Buffer.from(text, 'latin1')), encoder.end()]).toString();
  return out
    .split('\n')
    .slice(0, -1)
    .map((line): unknown => JSON.parse(line));
}

test('a line is Docker’s, byte by byte', () => {
  const encoder = new JsonEncoder({}, noPendingLines());
  assert.equal(
    encoder.encode(Buffer.from(`${time} stdout F a <b>\n`)).toString(),
    '{"log":"a \\u003cb\\u003e\\n","stream":"stdout","time":"2024-05-01T10:00:00.12Z"}\n',
  );
  const tagged = new JsonEncoder({ tag: 'x/y', A: 'b' }, noPendingLines());
  assert.equal(
    tagged.encode(Buffer.from('2024-05-01T10:00:00.000000000+02:00 stderr F \n')).toString(),
    '{"log":"\\n","stream":"stderr","attrs":{"A":"b","tag":"x/y"},"time":"2024-05-01T08:00:00Z"}\n',
  );
});

test('what has to be escaped survives; bytes that are no UTF-8 become replacement characters', () => {
  const lines = encode([`${time} stdout F "\\\t\u001b[1m`, `${time} stdout F \xc3\xa9`, `${time} stdout F a\xffb`]);
  assert.deepEqual(
    lines.map((line) => (line as { log: string }).log),
    ['"\\\t\u001b[1m\n', 'é\n', 'a\ufffdb\n'],
  );
});

test('parts are joined, by stream, and cut at 16 KiB', () => {
  const part = 'x'.repeat(8192);
  const lines = encode([
    `${time} stdout P par`,
    `${time} stderr F err`,
    `${time} stdout F tial`,
    ...Array.from({ length: 4 }, () => `${time} stdout P ${part}`),
    `${time} stdout F `,
    `${time} stdout P end`,
  ]);
  assert.deepEqual(
    lines.map((line) => {
      const { log, stream } = line as { log: string; stream: string };
      return [stream, log.length, log.endsWith('\n')];
    }),
    [
      ['stderr', 4, true],
      ['stdout', 8, true],
      ['stdout', 16384, false],
      ['stdout', 16384, false],
      ['stdout', 1, true],
      ['stdout', 3, false],
    ],
  );
});

test('all pieces of a line have the time of the first', () => {
  const later = time.replace('10:00:00', '10:00:09');
  const lines = encode([`${time} stdout P ${'x'.repeat(16384)}`, `${later} stdout F y`]);
  assert.deepEqual(
    lines.map((line) => (line as { time: string }).time),
    ['2024-05-01T10:00:00.12Z', '2024-05-01T10:00:00.12Z'],
  );
});

test('garbled records are skipped', () => {
  assert.deepEqual(encode(['', 'nonsense', `${time} stdxyz F a`, `${time} stdout F`]), []);
});

test('it goes on where another left off', () => {
  const first = new JsonEncoder({}, noPendingLines());
  const begun = first.encode(Buffer.from(`${time} stdout P a\n`));
  const second = new JsonEncoder({}, first.pending);
  assert.equal(begun.length, 0);
  assert.match(second.encode(Buffer.from(`${time} stdout F b\n`)).toString(), /^\{"log":"ab\\n"/);
});

test('pending lines that were told do not change with what comes next', () => {
  const before = noPendingLines();
  const encoder = new JsonEncoder({}, before);
  const told = encoder.pending;
  encoder.encode(Buffer.from(`${time} stdout P begun\n`));
  assert.deepEqual([before, told], [noPendingLines(), noPendingLines()]);
  assert.equal(encoder.pending.stdout.data.toString(), 'begun');
});
