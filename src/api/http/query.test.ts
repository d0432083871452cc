import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nowNano } from '#lib';
import { Query } from './query.ts';

function filters(json: string): unknown {
  return Object.fromEntries(new Query(`filters=${encodeURIComponent(json)}`).filters());
}

test('Query.flag takes everything but the words for no', () => {
  for (const no of ['', '0', 'no', 'false', 'none', 'False', ' NO ']) {
    assert.equal(new Query(`a=${no}`).flag('a', true), false, no);
  }
  for (const yes of ['1', 'true', 'yes', 'x', '2', '-1']) assert.equal(new Query(`a=${yes}`).flag('a'), true, yes);
  assert.equal(new Query('a').flag('a', true), false);
  assert.equal(new Query('').flag('a', true), true);
  assert.equal(new Query('').flag('a'), false);
});

test('Query.integer and uint32 complain in the words of strconv', () => {
  const of = (text: string): Query => new Query(`n=${text}`);
  assert.equal(of('').integer('n'), undefined);
  assert.equal(of('-1').integer('n'), -1);
  assert.throws(() => of('1x').integer('n'), { message: 'strconv.Atoi: parsing "1x": invalid syntax' });
  assert.throws(() => of('1.5').integer('n'), { message: 'strconv.Atoi: parsing "1.5": invalid syntax' });
  assert.throws(() => of('99999999999999999999').integer('n'), /value out of range/);
  assert.equal(of('80').uint32('n', 'resize width'), 80);
  assert.throws(() => of('').uint32('n', 'resize width'), { message: 'invalid resize width "": invalid syntax' });
  assert.throws(() => of('-5').uint32('n', 'resize width'), {
    message: 'invalid resize width "-5": value out of range',
  });
  assert.throws(() => of('4294967296').uint32('n', 'resize width'), /value out of range/);
  assert.throws(() => of('%2B1').uint32('n', 'resize width'), /invalid syntax/);
});

test('Query refuses bad escapes', () => {
  assert.throws(() => new Query('a=%zz'), { message: 'invalid URL escape "%zz"' });
  assert.throws(() => new Query('a=%2'), { message: 'invalid URL escape "%2"' });
  assert.equal(new Query('a=%2Fb+c').text('a'), '/b c');
});

test('Query.filters reads both forms', () => {
  assert.deepEqual(filters('{"label":["a","b=c","a"],"status":[]}'), { label: ['a', 'b=c'], status: [] });
  assert.deepEqual(filters('{"label":{"a":true,"b":false},"dangling":{"true":true}}'), {
    label: ['a', 'b'],
    dangling: ['true'],
  });
  assert.deepEqual(filters(''), {});
  assert.deepEqual(filters('null'), {});
  assert.deepEqual(filters('{"label":null}'), { label: [] });
  for (const bad of ['x', '[]', '"a"', '{"label":"a"}', '{"label":[1]}', '{"label":{"a":1}}', '{"a":']) {
    assert.throws(() => filters(bad), { kind: 'invalidArgument', message: 'invalid filter' }, bad);
  }
});

test('Query.time reads seconds, RFC 3339 and durations', () => {
  const time = (text: string): bigint | undefined => new Query(`t=${encodeURIComponent(text)}`).time('t');
  assert.equal(time(''), undefined);
  assert.equal(time('0'), undefined);
  assert.equal(time('0.000000000'), undefined);
  assert.equal(time('1700000000'), 1_700_000_000_000_000_000n);
  assert.equal(time('1700000000.5'), 1_700_000_000_500_000_000n);
  assert.equal(time('1700000000.000000001'), 1_700_000_000_000_000_001n);
  assert.equal(time('1700000000.0000000019'), 1_700_000_000_000_000_001n);
  assert.equal(time('2023-11-14T22:13:20Z'), 1_700_000_000_000_000_000n);
  assert.equal(time('2023-11-14T23:13:20.25+01:00'), 1_700_000_000_250_000_000n);
  assert.equal(time('2023-11-14'), BigInt(Date.parse('2023-11-14T00:00:00')) * 1_000_000n);
  assert.equal(time('2023-11-14T10:30'), BigInt(Date.parse('2023-11-14T10:30:00')) * 1_000_000n);
  const hourAgo = time('1h0.5s') ?? 0n;
  const off = nowNano() - 3_600_500_000_000n - hourAgo;
  assert.ok(off >= 0n && off < 1_000_000_000n);
  for (const bad of ['yesterday', '1h2', '2023-13-45', '-', '1e9']) {
    assert.throws(() => time(bad), { kind: 'invalidArgument' }, bad);
  }
});
