import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keepsShortNames, mergeSettings, usesResolver } from './settings.ts';
import { namedUpstreams, parseNameservers } from './upstreams.ts';

test('mergeSettings takes what the container has, each by itself', () => {
  const daemon = { servers: ['10.0.0.1'], options: ['timeout:1'] };
  assert.deepEqual(mergeSettings({ servers: ['10.0.0.2'], options: [] }, daemon), {
    servers: ['10.0.0.2'],
    options: ['timeout:1'],
  });
  assert.deepEqual(mergeSettings(undefined, undefined), { servers: [], options: [] });
});

test('keepsShortNames asks for ndots above 0', () => {
  assert.ok(keepsShortNames({ options: ['timeout:1', 'ndots:2'] }));
  assert.ok(!keepsShortNames({ options: ['ndots:0'] }));
  assert.ok(!keepsShortNames({ options: [] }));
});

test('usesResolver is true on networks of users', () => {
  assert.ok(!usesResolver([{ networkName: 'bridge' }]));
  assert.ok(usesResolver([{ networkName: 'bridge' }, { networkName: 'mine' }]));
});

test('parseNameservers reads a resolv.conf', () => {
  const text =
    '# nameserver 1.1.1.1\nsearch a b\nnameserver 10.0.0.1 \n\tnameserver fe80::1%eth0\nnameserver x\nnameserver 10.0.0.3\nnameserver 10.0.0.4\n';
  assert.deepEqual(parseNameservers(text), ['10.0.0.1', 'fe80::1%eth0', '10.0.0.3']);
  assert.deepEqual(parseNameservers(''), []);
});

test('namedUpstreams leaves out the resolver itself', () => {
  assert.deepEqual(namedUpstreams(['127.0.0.11', '10.0.0.1']), [{ address: '10.0.0.1', port: 53, from: 'container' }]);
});
