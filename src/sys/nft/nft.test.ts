import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { nestedAttribute } from '../netlink/codec.ts';
import { sampleTable } from '../../../test/fixtures/nft/sample-table.ts';
import { describeChange, encodeChange, type NftChange } from './changes.ts';
import { decodeExpression } from './decode-expressions.ts';
import { encodeExpression } from './expressions.ts';
import { encodeFields, ifnameBytes, lengthOfFields } from './fields.ts';
import { decodeChain, decodeRule } from './listing.ts';
import type { NftExpression, NftTable } from './model.ts';
import { planElements, planTable } from './plan.ts';

/** `test/integration/sys/nft.test.ts` hands the same table to the kernel and has nft(8) read it. */
const fixture = new URL('../../../test/fixtures/nft/sample-bytes.txt', import.meta.url);

test('a table is encoded as the bytes that the kernel has been seen to take', () => {
  const lines = planTable(sampleTable).map((change, index) => {
    const { type, flags, body } = encodeChange(change, index + 1);
    return `${type.toString(16)} ${flags.toString(16)} ${body.toString('hex')}`;
  });
  assert.deepEqual(lines, readFileSync(fixture, 'utf8').trimEnd().split('\n'));
});

test('the expressions that rules are recognised by read back as they were written', () => {
  const known: NftExpression[] = [
    { op: 'meta', key: 'oifname', register: 4 },
    { op: 'meta', key: 'l4proto', register: 1 },
    { op: 'cmp', register: 0, comparison: 'neq', data: ifnameBytes('berth0') },
    { op: 'counter' },
    { op: 'verdict', verdict: 'drop' },
    { op: 'verdict', verdict: { jump: 'x' } },
    { op: 'verdict', verdict: { goto: 'y' } },
  ];
  for (const step of known) assert.deepEqual(decodeExpression(encodeExpression(step)), step);
  assert.equal(decodeExpression(encodeExpression({ op: 'masquerade' })), undefined);
});

test('listings survive any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      decodeChain(Buffer.from(bytes));
      decodeRule(Buffer.from(bytes));
      decodeExpression(nestedAttribute(1, bytes));
    }),
  );
});

test('fields of a concatenation begin at registers of four bytes', () => {
  assert.equal(lengthOfFields(['inet_service']), 2);
  assert.equal(lengthOfFields(['inet_proto', 'inet_service', 'ifname']), 24);
  assert.equal(encodeFields(['inet_proto', 'inet_service'], [17, 53]).toString('hex'), '1100000000350000');
  assert.equal(encodeFields(['mark'], [258]).toString('hex'), '02010000');
  assert.throws(() => encodeFields(['ipv4_addr'], ['fd00::1']), { code: 'SYS_NFT_VALUE' });
  assert.throws(() => encodeFields(['ipv4_addr', 'mark'], ['10.0.0.1']), { code: 'SYS_NFT_VALUE' });
  assert.throws(() => ifnameBytes('sixteen-letters!'), { code: 'SYS_NFT_VALUE' });
});

test('planElements removes before it adds and cuts long lists', () => {
  const set = { name: 's', key: ['inet_service'], data: ['ipv4_addr'] } as const;
  const table = (elements: NftTable['sets'][number]['elements']): NftTable => ({
    family: 'inet',
    table: 't',
    sets: [{ ...set, elements }],
    chains: [],
  });
  const one = { key: [80], data: ['10.0.0.1'] };
  const moved = { key: [80], data: ['10.0.0.2'] };
  assert.deepEqual(planElements(table([one]), table([moved])), [
    { family: 'inet', table: 't', change: 'removeElements', set, elements: [one] },
    { family: 'inet', table: 't', change: 'addElements', set, elements: [moved] },
  ]);
  assert.deepEqual(planElements(table([one]), table([one])), []);
  const many = Array.from({ length: 900 }, (_, port) => ({ key: [port], data: ['10.0.0.1'] }));
  const sizes = planElements(table([]), table(many)).map((change) => encodeChange(change, 1).body.length);
  assert.equal(sizes.length, 3);
  assert.ok(Math.max(...sizes) < 65536);
});

test('an error about a change names what it was about', () => {
  const table = { family: 'inet', table: 't' } as const;
  const text = (change: NftChange): string => Object.values(describeChange(change)).join(' ');
  assert.equal(text({ ...table, change: 'addRule', chain: 'c', expressions: [] }), 'nft add rule inet t c');
  assert.equal(text({ ...table, change: 'addChain', chain: { name: 'c' } }), 'nft add chain inet t c');
  assert.equal(text({ ...table, change: 'removeTable' }), 'nft delete table inet t');
});
