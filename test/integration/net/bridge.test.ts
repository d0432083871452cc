import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { BridgeNetworks, type Sandbox } from '#net';
import { runNft } from '../../helpers/nft.ts';
import { createFixture, createOutside, type Fixture, requestFor } from './fixture.ts';

const DEADLINE_MS = 5000;

/** The namespace of a sandbox that has one. */
function netnsOf(sandbox: Sandbox): string {
  assert.ok(sandbox.netnsPath !== undefined);
  return sandbox.netnsPath;
}

function linksOfBridge(fixture: Fixture): string[] {
  using socket = fixture.sys.netlink.openRouteSocket();
  const bridge = socket.findLink(fixture.options.bridgeName ?? '');
  return socket
    .listLinks()
    .filter((link) => bridge !== undefined && link.masterIndex === bridge.index)
    .map((link) => link.name);
}

test('containers reach the gateway, each other and the outside, which sees the host', async () => {
  await using fixture = createFixture();
  const { networks, busybox } = fixture;
  await networks.open();
  const one = await networks.create(requestFor(networks, 'one'));
  const two = await networks.create(requestFor(networks, 'two'));
  assert.ok(one.endpoints[0] !== undefined && two.endpoints[0] !== undefined);
  using outside = createOutside(fixture, '198.18.77');
  const ping = (target: string): string => busybox(netnsOf(one), 'ping', '-c', '3', '-i', '0.2', '-W', '3', target);
  assert.match(ping(one.endpoints[0]?.gateway), /[1-3] packets received/);
  assert.match(ping(two.endpoints[0]?.address), /[1-3] packets received/);
  // The outside has no route to the containers' network: only a packet from the host's own address gets an answer.
  assert.match(ping(outside.address), /[1-3] packets received/);
  assert.match(
    busybox(netnsOf(one), 'ip', '-4', 'addr', 'show', 'eth0'),
    new RegExp(`inet ${one.endpoints[0]?.address}/24`),
  );
  assert.equal(busybox(netnsOf(one), 'ip', '-6', 'addr', 'show', 'eth0'), '');
  const stats = networks.stats('one');
  assert.deepEqual(Object.keys(stats), ['eth0']);
  assert.ok((stats['eth0']?.rxPackets ?? 0) >= 3);
});

test('nothing from outside starts a conversation with a container', async () => {
  await using fixture = createFixture();
  const { networks, busybox, sys } = fixture;
  await networks.open();
  const one = await networks.create(requestFor(networks, 'one'));
  using outside = createOutside(fixture, '198.18.78');
  using inside = sys.netlink.openRouteSocket(outside.netnsPath);
  inside.addRoute({ gateway: '198.18.78.1' });
  const target = one.endpoints[0]?.address ?? '';
  assert.throws(
    () => busybox(outside.netnsPath, 'ping', '-c', '1', '-W', '1', target),
    /0 packets received|Command failed/,
  );
});

test('containers without inter-container communication reach only the gateway', async () => {
  await using fixture = createFixture({ interContainer: false });
  const { networks, busybox } = fixture;
  await networks.open();
  const one = await networks.create(requestFor(networks, 'one'));
  const two = await networks.create(requestFor(networks, 'two'));
  const ping = (target = ''): string => busybox(netnsOf(one), 'ping', '-c', '1', '-W', '1', target);
  assert.match(ping(one.endpoints[0]?.gateway), /[1-3] packets received/);
  assert.throws(() => ping(two.endpoints[0]?.address));
});

test('none has loopback only, host has nothing of its own', async () => {
  await using fixture = createFixture();
  const { networks, busybox } = fixture;
  await networks.open();
  const none = await networks.create({ containerId: 'none', mode: 'own', endpoints: [], sysctls: {} });
  assert.match(busybox(netnsOf(none), 'ping', '-c', '1', '-W', '1', '127.0.0.1'), /[1-3] packets received/);
  assert.deepEqual(networks.stats('none'), {});
  const host = await networks.create({ containerId: 'host', mode: 'host', endpoints: [], sysctls: {} });
  assert.equal(host.netnsPath, undefined);
  await networks.remove('host');
});

test('a removed container leaves the bridge at once, the kernel soon, and can start again with its address', async () => {
  await using fixture = createFixture();
  const { networks, options, sys } = fixture;
  await networks.open();
  await networks.create(requestFor(networks, 'other'));
  const first = await networks.create(requestFor(networks, 'one', { macAddress: '02:42:00:00:00:99' }));
  assert.equal(linksOfBridge(fixture).length, 2);
  await networks.remove('one');
  assert.equal(linksOfBridge(fixture).length, 1);
  assert.deepEqual(readdirSync(join(options.execRoot, 'netns')), ['other']);
  const second = await networks.create(requestFor(networks, 'one', { preferredAddress: first.endpoints[0]?.address }));
  assert.equal(second.endpoints[0]?.address, first.endpoints[0]?.address);
  using socket = sys.netlink.openRouteSocket();
  const alias = `berth:${options.bridgeName ?? ''}`;
  const deadline = Date.now() + DEADLINE_MS;
  while (socket.listLinks().some((link) => link.alias === alias)) {
    assert.ok(Date.now() < deadline, 'the detached link is still there');
    await sleep(10);
  }
});

test('after the daemon died, what runs is adopted and works on, what does not is removed', async () => {
  await using fixture = createFixture();
  const { networks, busybox, options, sys } = fixture;
  await networks.open();
  const running = await networks.create(requestFor(networks, 'running'));
  await networks.create(requestFor(networks, 'gone'));
  // Died in the middle of making one: a namespace without an endpoint.
  sys.namespaces.createNetns(join(options.execRoot, 'netns', 'half'));
  const next = new BridgeNetworks(options);
  await next.open();
  await next.reconcile([running]);
  assert.equal(linksOfBridge(fixture).length, 1);
  assert.deepEqual(readdirSync(join(options.execRoot, 'netns')), ['running']);
  assert.match(
    busybox(netnsOf(running), 'ping', '-c', '1', '-W', '3', running.endpoints[0]?.gateway ?? ''),
    /[1-3] packets received/,
  );
  assert.deepEqual(next.list()[0]?.endpoints.get('running'), running.endpoints[0]);
  assert.notEqual((await next.create(requestFor(next, 'new'))).endpoints[0]?.address, running.endpoints[0]?.address);
  await next.close();
  await networks.close();
});

test('close without keeping the kernel state leaves nothing of ours', async () => {
  await using fixture = createFixture();
  const { networks, options, sys } = fixture;
  await networks.open();
  await networks.create(requestFor(networks, 'one'));
  await networks.close({ keepKernelState: false });
  using socket = sys.netlink.openRouteSocket();
  assert.equal(socket.findLink(options.bridgeName ?? ''), undefined);
  assert.equal(existsSync(join(options.execRoot, 'netns', 'one')), false);
  const ruleset = runNft('list ruleset');
  assert.ok(!ruleset.includes(options.tableName ?? ''));
  assert.ok(!ruleset.includes(`"${options.bridgeName ?? ''}"`));
});

test('fifty containers start and stop within the time that waiting for each link would take', async () => {
  await using fixture = createFixture();
  const { networks } = fixture;
  await networks.open();
  const ids = Array.from({ length: 50 }, (_, index) => `c${index}`);
  const sandboxes = await Promise.all(ids.map((id) => networks.create(requestFor(networks, id))));
  assert.equal(new Set(sandboxes.map(({ endpoints }) => endpoints[0]?.address)).size, 50);
  const started = performance.now();
  await Promise.all(ids.map((id) => networks.remove(id)));
  const elapsedMs = performance.now() - started;
  assert.ok(elapsedMs < 50 * 30, `removal took ${elapsedMs} ms`);
});
