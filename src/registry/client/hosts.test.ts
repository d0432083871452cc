import assert from 'node:assert/strict';
import test from 'node:test';
import { apiHost, hostnameOf, InsecureHosts, normalizeDomain, searchHost } from './hosts.ts';
import { proxyAuthorization, ProxyRules } from './proxies.ts';

void test('all names of Docker Hub mean its one registry', () => {
  for (const name of ['docker.io', 'index.docker.io', 'registry-1.docker.io', 'https://index.docker.io/v1/']) {
    assert.equal(normalizeDomain(name), 'docker.io');
  }
  assert.equal(normalizeDomain('registry.example.com:5000'), 'registry.example.com:5000');
  assert.equal(apiHost('docker.io'), 'registry-1.docker.io');
  assert.equal(searchHost('docker.io'), 'index.docker.io');
  assert.equal(apiHost('registry.example.com'), 'registry.example.com');
});

void test('hostnameOf drops ports and brackets', () => {
  assert.equal(hostnameOf('localhost:5000'), 'localhost');
  assert.equal(hostnameOf('[::1]:5000'), '::1');
  assert.equal(hostnameOf('[fd00::2]'), 'fd00::2');
  assert.equal(hostnameOf('10.0.0.1'), '10.0.0.1');
});

void test('InsecureHosts has the loopback, listed names with and without port, and listed blocks', async () => {
  const hosts = new InsecureHosts(['plain.example.com', 'half.example.com:5000', '10.0.0.0/8', 'fd00::/8']);
  for (const host of [
    '127.0.0.1:5000',
    '127.9.9.9',
    '[::1]:80',
    'localhost:1',
    'plain.example.com:7',
    '10.1.2.3:5000',
    '[fd00::1]',
  ]) {
    assert.equal(await hosts.has(host), true, host);
  }
  assert.equal(await hosts.has('half.example.com:5000'), true);
  for (const host of ['11.0.0.1', '0.0.0.0:1', '[fe80::1]']) {
    assert.equal(await hosts.has(host), false, host);
  }
});

void test('ProxyRules follow NO_PROXY: names with what is below them, blocks, ports, everything', () => {
  const choose = (none: string, url: string): string | undefined =>
    new ProxyRules({ http: 'proxy:1', https: 'http://proxy:2', none }).choose(new URL(url))?.host;
  assert.equal(choose('', 'http://a.example.com/'), 'proxy:1');
  assert.equal(choose('', 'https://a.example.com/'), 'proxy:2');
  assert.equal(choose('', 'http://127.0.0.1/'), undefined);
  assert.equal(choose('', 'http://localhost:5000/'), undefined);
  assert.equal(choose('', 'http://[::1]/'), undefined);
  assert.equal(choose('example.com', 'https://example.com/'), undefined);
  assert.equal(choose('example.com', 'https://a.example.com/'), undefined);
  assert.equal(choose('example.com', 'https://badexample.com/'), 'proxy:2');
  assert.equal(choose('.example.com', 'https://example.com/'), 'proxy:2');
  assert.equal(choose('*.example.com, other', 'https://A.Example.com/'), undefined);
  assert.equal(choose('example.com:8443', 'https://example.com/'), 'proxy:2');
  assert.equal(choose('example.com:443', 'https://example.com/'), undefined);
  assert.equal(choose('10.0.0.0/8', 'https://10.2.3.4/'), undefined);
  assert.equal(choose('10.0.0.0/8', 'https://11.2.3.4/'), 'proxy:2');
  assert.equal(choose('fd00::/8', 'https://[fd00::9]/'), undefined);
  assert.equal(choose('*', 'https://example.com/'), undefined);
});

void test('a proxy that is no URL is refused without showing it', () => {
  assert.throws(
    () => new ProxyRules({ https: 'socks5://me:secret@proxy' }),
    (error: unknown) => !String(error).includes('secret'),
  );
  assert.equal(proxyAuthorization(new URL('http://proxy')), undefined);
});
