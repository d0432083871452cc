import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Answer, lookup, reverseAddress, resolveName, type VisibleNetwork } from './lookup.ts';
import { TYPE } from './message.ts';
import { NameIndex } from './name-index.ts';

function network(name: string, containers: Record<string, [address: number, ...names: string[]]>): VisibleNetwork {
  const names = new NameIndex();
  for (const [id, [address, ...own]] of Object.entries(containers)) names.set(id, address, own);
  return { name, names, links: new Map() };
}

function ask(networks: VisibleNetwork[], name: string | undefined, type: number, classCode = 1): Answer {
  const query = { id: 1, type, class: classCode, questionEnd: 20, udpBytes: 512, edns: undefined, badVersion: false };
  return lookup(networks, { ...query, name });
}

const front = network('Front', { a: [1, 'web', 'App'], b: [2, 'db', 'app'] });
const back = network('back.end', { a: [101, 'web'], c: [103, 'cache.one'] });

test('resolveName takes the first network that knows the name', () => {
  assert.deepEqual(resolveName([front, back], 'web'), [1]);
  assert.deepEqual(resolveName([back, front], 'web'), [101]);
  assert.deepEqual(resolveName([front], 'app'), [1, 2]);
  assert.equal(resolveName([front], 'cache.one'), undefined);
});

test('resolveName splits names from networks at any dot', () => {
  assert.deepEqual(resolveName([front, back], 'web.back.end'), [101]);
  assert.deepEqual(resolveName([front, back], 'cache.one'), [103]);
  assert.deepEqual(resolveName([front, back], 'cache.one.back.end'), [103]);
  assert.deepEqual(resolveName([front, back], 'web.front'), [1]);
  for (const name of ['web.end', 'web.', '.web', 'front', 'web.front.back.end']) {
    assert.equal(resolveName([front, back], name), undefined, name);
  }
});

test('resolveName follows links of one container', () => {
  const linked = { ...front, links: new Map([['database', 'db']]) };
  assert.deepEqual(resolveName([linked], 'database'), [2]);
  assert.deepEqual(resolveName([linked], 'database.front'), [2]);
  assert.equal(resolveName([front], 'database'), undefined);
});

test('lookup keeps other types of known names to itself and passes on what is unknown', () => {
  assert.deepEqual(ask([front], 'db', TYPE.A), { kind: 'addresses', addresses: [2] });
  assert.deepEqual(ask([front], 'db', TYPE.AAAA), { kind: 'nothing' });
  assert.deepEqual(ask([front], 'db', 65), { kind: 'nothing' });
  assert.deepEqual(ask([front], 'example.com', TYPE.A), { kind: 'unknown' });
  assert.deepEqual(ask([front], undefined, TYPE.A), { kind: 'unknown' });
  assert.deepEqual(ask([front], '', 2), { kind: 'unknown' });
  assert.deepEqual(ask([front], 'db', TYPE.A, 3), { kind: 'unknown' }, 'class CHAOS');
});

test('lookup leads addresses back to a name and its network', () => {
  assert.deepEqual(ask([front, back], '103.0.0.0.in-addr.arpa', TYPE.PTR), {
    kind: 'pointer',
    name: 'cache.one.back.end',
  });
  assert.deepEqual(ask([front], '1.0.0.0.in-addr.arpa', TYPE.PTR), { kind: 'pointer', name: 'web.Front' });
  assert.deepEqual(ask([front], '103.0.0.0.in-addr.arpa', TYPE.PTR), { kind: 'unknown' });
});

test('reverseAddress takes whole IPv4 addresses only', () => {
  assert.equal(reverseAddress('4.3.2.1.in-addr.arpa'), 0x01020304);
  for (const name of [
    '3.2.1.in-addr.arpa',
    '4.3.2.256.in-addr.arpa',
    '04.3.2.1.in-addr.arpa',
    'x.in-addr.arpa',
    '4.3.2.1',
  ]) {
    assert.equal(reverseAddress(name), undefined, name);
  }
});

test('NameIndex forgets and replaces', () => {
  const names = new NameIndex();
  names.set('a', 1, ['Web', 'x']);
  names.set('b', 2, ['x']);
  assert.deepEqual(names.addresses('x'), [1, 2]);
  assert.equal(names.nameOf(1), 'Web');
  names.set('a', 3, ['web2']);
  assert.deepEqual(names.addresses('x'), [2]);
  assert.equal(names.addresses('web'), undefined);
  assert.equal(names.nameOf(1), undefined);
  names.remove('b');
  names.remove('b');
  assert.equal(names.addresses('x'), undefined);
});
