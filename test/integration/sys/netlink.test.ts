import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RouteSocket } from '#sys';
import { createScratch, type Scratch } from './scratch.ts';

/** Two namespaces of the test's own, so that the host's links stay as they are. */
function createPair(scratch: Scratch): { first: RouteSocket; second: RouteSocket; secondFd: number } & Disposable {
  const { namespaces, netlink } = scratch.sys;
  const first = namespaces.createNetns(join(scratch.path, 'first'), () => netlink.openRouteSocket());
  namespaces.createNetns(join(scratch.path, 'second'));
  assert.ok(first !== undefined);
  const second = netlink.openRouteSocket(join(scratch.path, 'second'));
  const secondFd = openSync(join(scratch.path, 'second'), 'r');
  return {
    first,
    second,
    secondFd,
    [Symbol.dispose]: () => {
      first[Symbol.dispose]();
      second[Symbol.dispose]();
      closeSync(secondFd);
      namespaces.removeNetns(join(scratch.path, 'first'));
      namespaces.removeNetns(join(scratch.path, 'second'));
    },
  };
}

test('RouteSocket makes a bridge with a veth whose peer is in another namespace', () => {
  using scratch = createScratch();
  using pair = createPair(scratch);
  const { first, second, secondFd } = pair;
  first.createBridge({ name: 'br0', macAddress: '02:42:00:00:00:01', mtu: 1400 });
  first.setLink(first.findLink('br0')?.index ?? 0, { alias: 'of the test' });
  const bridge = first.findLink('br0');
  assert.equal(bridge?.kind, 'bridge');
  assert.equal(bridge.macAddress, '02:42:00:00:00:01');
  assert.equal(bridge.mtu, 1400);
  assert.equal(bridge.alias, 'of the test');
  assert.equal(bridge.up, false);
  first.createVeth({
    name: 'near',
    masterIndex: bridge.index,
    up: true,
    peer: { name: 'far', macAddress: '02:42:0a:00:00:02', netnsFd: secondFd },
  });
  first.setLink(bridge.index, { up: true });
  const far = second.findLink('far');
  assert.equal(far?.macAddress, '02:42:0a:00:00:02');
  assert.equal(first.findLink('near')?.masterIndex, bridge.index);
  second.setLink(far.index, { name: 'eth0' });
  second.setLink(far.index, { up: true });
  assert.deepEqual(
    second.listLinks().map((link) => [link.name, link.up]),
    [
      ['lo', false],
      ['eth0', true],
    ],
  );
  assert.equal(second.findLink('eth0')?.operState, 'up');
  assert.equal(typeof second.findLink('eth0')?.stats?.rxBytes, 'number');
  assert.equal(first.deleteLink('near'), true);
  assert.equal(first.deleteLink('near'), false);
  assert.equal(second.findLink('eth0'), undefined);
});

test('RouteSocket adds addresses and routes of both families', () => {
  using scratch = createScratch();
  using pair = createPair(scratch);
  const { first } = pair;
  first.createBridge({ name: 'br0' });
  const index = first.findLink('br0')?.index ?? 0;
  first.setLink(index, { up: true });
  first.addAddress({ linkIndex: index, address: '10.9.8.1', prefixLength: 24, broadcast: '10.9.8.255' });
  first.addAddress({ linkIndex: index, address: 'fd00:9::1', prefixLength: 64 });
  const addresses = first.listAddresses(index).map(({ address, prefixLength }) => `${address}/${prefixLength}`);
  assert.ok(addresses.includes('10.9.8.1/24'));
  assert.ok(addresses.includes('fd00:9::1/64'));
  first.addRoute({ gateway: '10.9.8.254', linkIndex: index });
  first.addRoute({ destination: { address: '10.7.0.0', prefixLength: 16 }, linkIndex: index, metric: 5 });
  const routes = first.listRoutes(4).filter((route) => route.table === 254 && route.unicast);
  assert.deepEqual(
    routes.map(({ destination, gateway, metric }) => ({ destination, gateway, metric })),
    [
      { destination: undefined, gateway: '10.9.8.254', metric: undefined },
      { destination: { address: '10.7.0.0', prefixLength: 16 }, gateway: undefined, metric: 5 },
      { destination: { address: '10.9.8.0', prefixLength: 24 }, gateway: undefined, metric: undefined },
    ],
  );
  first.removeRoute({ gateway: '10.9.8.254', linkIndex: index });
  first.removeAddress({ linkIndex: index, address: '10.9.8.1', prefixLength: 24 });
  assert.ok(!first.listRoutes(4).some((route) => route.destination === undefined && route.table === 254));
});

test('RouteSocket deletes many links in hardly more time than one', () => {
  using scratch = createScratch();
  using pair = createPair(scratch);
  const { first, secondFd } = pair;
  const names = Array.from({ length: 20 }, (_, index) => `near${index}`);
  for (const [index, name] of names.entries()) {
    first.createVeth({ name, peer: { name: `far${index}`, netnsFd: secondFd } });
  }
  first.createBridge({ name: 'stays' });
  const started = performance.now();
  first.deleteLinks([...names, 'absent']);
  const elapsedMs = performance.now() - started;
  assert.deepEqual(
    first
      .listLinks()
      .filter(({ kind }) => kind !== undefined)
      .map(({ name }) => name),
    ['stays'],
  );
  assert.ok(!pair.second.listLinks().some(({ name }) => name.startsWith('far')));
  first.deleteLinks(['absent']);
  first.deleteLinks([]);
  assert.ok(elapsedMs < names.length * 30, `it took ${elapsedMs} ms`);
});

test('RouteSocket reports refusals with kind and the words of the kernel', () => {
  using scratch = createScratch();
  using pair = createPair(scratch);
  const { first } = pair;
  first.createBridge({ name: 'br0' });
  assert.throws(() => first.createBridge({ name: 'br0' }), { kind: 'alreadyExists', code: 'SYS_EEXIST' });
  assert.throws(() => first.createBridge({ name: 'x'.repeat(16) }), { kind: 'invalidArgument' });
  assert.throws(() => first.addRoute({ gateway: '10.200.0.1' }), {
    kind: 'unavailable',
    message: /^add route default via 10\.200\.0\.1: .*\(Nexthop has invalid gateway\)$/,
  });
  assert.equal(first.findLink('none'), undefined);
});

test('a dump with many links is whole', () => {
  using scratch = createScratch();
  using pair = createPair(scratch);
  for (let index = 0; index < 80; index++) pair.first.createBridge({ name: `br${index}` });
  assert.equal(pair.first.listLinks().length, 81);
});
