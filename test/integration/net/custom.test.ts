import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BridgeNetworks, type Sandbox } from '#net';
import { runNft } from '../../helpers/nft.ts';
import { createFixture, type Fixture, networkSpec } from './fixture.ts';

function bridgeOf(fixture: Fixture, name: string): string {
  return `br-${fixture.networks.find(name)?.id.slice(0, 12) ?? ''}`;
}

async function join(fixture: Fixture, containerId: string, ...names: string[]): Promise<Sandbox> {
  const endpoints = names.map((name) => ({ networkId: fixture.networks.find(name)?.id ?? '' }));
  return await fixture.networks.create({ containerId, mode: 'own', endpoints, sysctls: {} });
}

function reaches(fixture: Fixture, from: Sandbox, target: string | undefined): boolean {
  try {
    fixture.busybox(from.netnsPath ?? '', 'ping', '-c', '3', '-i', '0.2', '-W', '3', target ?? '');
    return true;
  } catch {
    return false;
  }
}

test('bridges and cables that somebody took away are put back under running containers', async () => {
  await using fixture = createFixture();
  const { networks, options, sys } = fixture;
  await networks.open();
  await networks.createNetwork(networkSpec('one'));
  await networks.createNetwork(networkSpec('two'));
  const first = await join(fixture, 'first', 'one', 'two');
  const second = await join(fixture, 'second', 'one', 'two');
  {
    using socket = sys.netlink.openRouteSocket();
    socket.deleteLink(bridgeOf(fixture, 'one'));
    using inside = sys.netlink.openRouteSocket(first.netnsPath);
    inside.deleteLink('eth1');
  }
  const next = new BridgeNetworks(options);
  await next.open();
  await next.reconcile([first, second]);
  assert.ok(reaches(fixture, first, second.endpoints[0]?.address));
  assert.ok(reaches(fixture, second, first.endpoints[1]?.address));
  await next.close();
});

test('a bridge whose network is gone goes at the next start, and what was half-connected with it', async () => {
  await using fixture = createFixture();
  const { networks, options, sys } = fixture;
  await networks.open();
  const { id } = await networks.createNetwork(networkSpec('gone'));
  await networks.createNetwork(networkSpec('kept'));
  const sandbox = await join(fixture, 'c', 'kept');
  const [gone, kept] = [bridgeOf(fixture, 'gone'), bridgeOf(fixture, 'kept')];
  // Died after the row of one network went, and before a connection was put on the container's record.
  await networks.connect('c', { networkId: networks.find('bridge')?.id ?? '' });
  options.store.removeNetwork(id);
  const next = new BridgeNetworks(options);
  await next.open();
  await next.reconcile([sandbox]);
  using socket = sys.netlink.openRouteSocket();
  assert.equal(socket.findLink(gone), undefined);
  assert.ok(!runNft('list ruleset').includes(`"${gone}"`));
  assert.ok(socket.findLink(kept));
  assert.doesNotMatch(fixture.busybox(sandbox.netnsPath ?? '', 'ip', 'link'), /eth1/);
  await next.close();
});

test("a user's own bridge is used and outlives the network", async () => {
  await using fixture = createFixture();
  const { networks, options, sys } = fixture;
  await networks.open();
  using socket = sys.netlink.openRouteSocket();
  const name = `${options.bridgeName ?? ''}u`;
  socket.createBridge({ name });
  try {
    const bridgeOption = { 'com.docker.network.bridge.name': name };
    const { id } = await networks.createNetwork(networkSpec('own', { options: bridgeOption }));
    const [one, two] = [await join(fixture, 'one', 'own'), await join(fixture, 'two', 'own')];
    assert.ok(reaches(fixture, one, two.endpoints[0]?.address));
    await assert.rejects(networks.removeNetwork(id), /has active endpoints/);
    await networks.remove('one');
    await networks.remove('two');
    await networks.removeNetwork(id);
    assert.ok(socket.findLink(name));
  } finally {
    socket.deleteLink(name);
  }
});

test('a network without inter-container communication keeps its containers apart', async () => {
  await using fixture = createFixture();
  const { networks } = fixture;
  await networks.open();
  await networks.createNetwork(networkSpec('apart', { options: { 'com.docker.network.bridge.enable_icc': 'false' } }));
  const [one, two] = [await join(fixture, 'one', 'apart'), await join(fixture, 'two', 'apart')];
  assert.ok(reaches(fixture, one, one.endpoints[0]?.gateway));
  assert.ok(!reaches(fixture, one, two.endpoints[0]?.address));
});
