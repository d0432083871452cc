import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLogger } from '#lib';
import { createRecordingSys, type RecordingSys, sysError } from '#sys';
import { endpointMacAddress, predefinedNetworkId, vethName } from './names.ts';
import { BridgeNetworks } from './networks.ts';
import { createMemoryNetworkStore, type NetworkStore } from './store.ts';

interface Fixture extends Disposable {
  sys: RecordingSys;
  store: NetworkStore;
  networks: BridgeNetworks;
  execRoot: string;
}

function createFixture(): Fixture {
  const execRoot = mkdtempSync(join(tmpdir(), 'berth-net-'));
  const sys = createRecordingSys({
    'namespaces.createNetns': (path: string, inside: () => unknown) => {
      writeFileSync(path, '');
      return inside();
    },
    'namespaces.removeNetns': (path: string) => rmSync(path, { force: true }),
    'namespaces.readSysctl': '1',
    'routeSocket.findLink': { index: 3, name: 'x', kind: 'bridge', mtu: 1500 },
    'routeSocket.listLinks': [],
    'routeSocket.listAddresses': [],
    'routeSocket.listRoutes': [],
    'nftSocket.listChains': [],
    'nftSocket.listRules': [],
  });
  const store = createMemoryNetworkStore();
  const networks = new BridgeNetworks({
    sys,
    store,
    logger: createLogger('error'),
    execRoot,
    bridgeAddress: '10.9.0.1/24',
  });
  return { sys, store, networks, execRoot, [Symbol.dispose]: () => rmSync(execRoot, { recursive: true }) };
}

const defaultId = predefinedNetworkId('berth0', 'bridge');
const request = { containerId: 'c1', mode: 'own', endpoints: [{ networkId: defaultId }], sysctls: {} } as const;

test('BridgeNetworks.create stores the address before the kernel changes and wires the namespace', async () => {
  using fixture = createFixture();
  const { sys, store, networks } = fixture;
  await networks.open();
  sys.calls.length = 0;
  sys.answer('routeSocket.createVeth', () => assert.equal(store.listAllocations().length, 1));
  const sandbox = await networks.create(request);
  assert.equal(sandbox.netnsPath, join(fixture.execRoot, 'netns', 'c1'));
  assert.equal(sandbox.endpoints[0]?.address, '10.9.0.2');
  assert.equal(sandbox.endpoints[0]?.gateway, '10.9.0.1');
  assert.equal(sandbox.endpoints[0]?.macAddress, '02:42:0a:09:00:02');
  const veth = sys.calls.find(({ call }) => call === 'routeSocket.createVeth')?.args[0] as { name: string };
  assert.equal(veth.name, vethName(sandbox.endpoints[0]?.endpointId ?? ''));
  assert.ok(sys.lines().includes('routeSocket.addRoute {"gateway":"10.9.0.1","linkIndex":3}'));
  await networks.close();
});

test('BridgeNetworks.create leaves nothing when the kernel refuses', async () => {
  using fixture = createFixture();
  const { sys, store, networks, execRoot } = fixture;
  await networks.open();
  sys.fail('routeSocket.addRoute', sysError(101, 'add route'));
  await assert.rejects(networks.create(request), { code: 'SYS_ENETUNREACH' });
  assert.deepEqual(store.listAllocations(), []);
  assert.equal(existsSync(join(execRoot, 'netns', 'c1')), false);
  sys.answer('routeSocket.addRoute', undefined);
  assert.equal((await networks.create(request)).endpoints[0]?.address, '10.9.0.2');
  await networks.close();
});

test('BridgeNetworks.create makes no endpoint for none and nothing for host', async () => {
  using fixture = createFixture();
  const { networks, execRoot } = fixture;
  await networks.open();
  const none = await networks.create({ ...request, endpoints: [] });
  assert.deepEqual(none.endpoints, []);
  assert.equal(none.netnsPath, join(execRoot, 'netns', 'c1'));
  const host = await networks.create({ ...request, containerId: 'c2', mode: 'host' });
  assert.deepEqual(host, { containerId: 'c2', netnsPath: undefined, endpoints: [] });
  assert.deepEqual(networks.stats('c2'), {});
  await networks.close();
});

test('BridgeNetworks.remove frees the address at once and prefers it for the next start', async () => {
  using fixture = createFixture();
  const { networks, sys } = fixture;
  await networks.open();
  const first = await networks.create(request);
  await networks.create({ ...request, containerId: 'c2' });
  await networks.remove('c1');
  await networks.remove('c1');
  assert.ok(sys.lines().some((line) => line.startsWith('routeSocket.setLink 3 {"masterIndex":0,"up":false')));
  const again = await networks.create({
    ...request,
    endpoints: [{ networkId: defaultId, preferredAddress: '10.9.0.7', macAddress: '02:00:00:00:00:09' }],
  });
  assert.equal(again.endpoints[0]?.address, '10.9.0.7');
  assert.equal(again.endpoints[0]?.macAddress, '02:00:00:00:00:09');
  assert.notEqual(again.endpoints[0]?.endpointId, first.endpoints[0]?.endpointId);
  await networks.close();
});

test('BridgeNetworks.reconcile adopts what runs and frees the rest', async () => {
  using fixture = createFixture();
  const { networks, store, execRoot } = fixture;
  await networks.open();
  const kept = await networks.create(request);
  await networks.create({ ...request, containerId: 'c2' });
  await networks.close();
  await networks.open();
  await networks.reconcile([kept]);
  assert.deepEqual(
    store.listAllocations().map(({ containerId }) => containerId),
    ['c1'],
  );
  assert.equal(existsSync(join(execRoot, 'netns', 'c1')), true);
  assert.equal(existsSync(join(execRoot, 'netns', 'c2')), false);
  assert.deepEqual(networks.list()[0]?.endpoints.get('c1'), kept.endpoints[0]);
  assert.equal((await networks.create({ ...request, containerId: 'c3' })).endpoints[0]?.address, '10.9.0.3');
  await networks.close();
});

test('BridgeNetworks.list describes the three predefined networks', async () => {
  using fixture = createFixture();
  const { networks } = fixture;
  await networks.open();
  const [bridge, host, none] = networks.list();
  assert.equal(bridge?.driver, 'bridge');
  assert.deepEqual(bridge.blocks, [{ subnet: '10.9.0.0/24', gateway: '10.9.0.1' }]);
  assert.equal(bridge.options['com.docker.network.bridge.name'], 'berth0');
  assert.equal(host?.driver, 'host');
  assert.equal(none?.driver, 'null');
  assert.match(none.id, /^[0-9a-f]{64}$/);
  await networks.close();
});

test('names fit the kernel and addresses', () => {
  assert.equal(vethName('e'.repeat(64)).length, 15);
  assert.notEqual(vethName('a'), vethName('b'));
  assert.equal(endpointMacAddress(0xac110002), '02:42:ac:11:00:02');
});
