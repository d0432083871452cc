import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildHostsFile, buildResolvConf } from './network-files.ts';

const hosts = {
  hostname: 'box',
  domainname: '',
  addresses: ['172.17.0.2'],
  extraHosts: [],
  hostGateway: ['172.17.0.1'],
};
const tail = (text: string): string[] => text.trimEnd().split('\n').slice(6);

test("buildHostsFile ends with extra hosts and the container's own names", () => {
  const text = buildHostsFile({ ...hosts, extraHosts: ['a:1.2.3.4', 'b=[::5]', 'c:::6', 'gw:host-gateway'] });
  assert.ok(text.startsWith('127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost'));
  assert.deepEqual(tail(text), ['1.2.3.4\ta', '::5\tb', '::6\tc', '172.17.0.1\tgw', '172.17.0.2\tbox']);
  assert.deepEqual(tail(buildHostsFile({ ...hosts, domainname: 'example.org' })), ['172.17.0.2\tbox.example.org box']);
  assert.deepEqual(tail(buildHostsFile({ ...hosts, hostname: 'bar.dom' })), ['172.17.0.2\tbar.dom bar']);
});

test("buildHostsFile adds to the host's own file on the host's network", () => {
  const text = buildHostsFile({ ...hosts, base: '127.0.0.1 localhost', addresses: [], extraHosts: ['a:1.2.3.4'] });
  assert.equal(text, '127.0.0.1 localhost\n1.2.3.4\ta\n');
});

test('buildHostsFile refuses malformed extra hosts', () => {
  for (const extra of ['a', 'a:', ':1.2.3.4', 'a:1.2.3', 'a:1.2.3.4\n6.6.6.6\tbank']) {
    assert.throws(() => buildHostsFile({ ...hosts, extraHosts: [extra] }), { code: 'INVALID_EXTRA_HOST' }, extra);
  }
  assert.throws(() => buildHostsFile({ ...hosts, hostGateway: [], extraHosts: ['a:host-gateway'] }), /host-gateway/);
});

const resolv = { onHostNetwork: false, ipv6: false, dns: [], dnsSearch: [], dnsOptions: [] };
const body = (text: string): string[] => text.trimEnd().split('\n').slice(1);
const host =
  'nameserver 127.0.0.53 # stub\nnameserver 10.0.0.1\nnameserver fe80::1\nsearch a.b c.d\noptions ndots:2 edns0\n';

test("buildResolvConf keeps the host's resolvers that a container can reach", () => {
  assert.deepEqual(body(buildResolvConf({ ...resolv, host })), [
    'nameserver 10.0.0.1',
    'search a.b c.d',
    'options ndots:2 edns0',
  ]);
  assert.equal(body(buildResolvConf({ ...resolv, host, ipv6: true }))[1], 'nameserver fe80::1');
  assert.equal(body(buildResolvConf({ ...resolv, host, onHostNetwork: true }))[0], 'nameserver 127.0.0.53');
  assert.deepEqual(body(buildResolvConf({ ...resolv, host: 'nameserver 127.0.0.1\n' })), [
    'nameserver 8.8.8.8',
    'nameserver 8.8.4.4',
  ]);
});

test('buildResolvConf takes each override alone, and a dot for no search', () => {
  const text = buildResolvConf({ ...resolv, host, dns: ['127.0.0.9'], dnsSearch: ['.'], dnsOptions: ['rotate'] });
  assert.deepEqual(body(text), ['nameserver 127.0.0.9', 'options rotate']);
});
