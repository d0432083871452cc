import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { openDatabase } from '#store';
import { networkMigrations, openNetworkStore } from './network-store.ts';

const network = { id: 'n1', name: 'bridge', subnet: '10.0.0.0/24', gateway: '10.0.0.1', created: '' };
const allocation = {
  networkId: 'n1',
  containerId: 'c1',
  endpointId: 'e1',
  address: '10.0.0.2',
  macAddress: '',
  interfaceName: 'eth0',
  names: [],
  gatewayPriority: 0,
};

function folder(t: TestContext): (name: string) => string {
  const path = mkdtempSync(join(tmpdir(), 'berth-networks-'));
  t.after(() => rmSync(path, { recursive: true }));
  return (name) => join(path, name);
}

test('openNetworkStore keeps networks and addresses over a reopening', (t) => {
  const at = folder(t);
  {
    using db = openDatabase(at('meta.db'), networkMigrations);
    const store = openNetworkStore(db, at('networks.json'));
    store.saveNetwork(network);
    store.saveNetwork({ ...network, id: 'n2', name: 'other' });
    store.saveNetwork({ ...network, gateway: '10.0.0.254' });
    store.saveAllocation(allocation);
    store.saveAllocation({ ...allocation, networkId: 'n2' });
    store.removeAllocation('n2', 'c1');
    store.removeAllocation('n2', 'never-there');
    store.removeNetwork('n2');
  }
  using db = openDatabase(at('meta.db'), networkMigrations);
  const store = openNetworkStore(db, at('networks.json'));
  assert.deepEqual(store.listNetworks(), [{ ...network, gateway: '10.0.0.254' }]);
  assert.deepEqual(store.listAllocations(), [allocation]);
});

test('openNetworkStore takes over the file of former versions, once, torn or not', (t) => {
  const at = folder(t);
  using db = openDatabase(at('meta.db'), networkMigrations);
  writeFileSync(at('networks.json'), JSON.stringify({ networks: [network], allocations: [allocation] }));
  assert.deepEqual(openNetworkStore(db, at('networks.json')).listAllocations(), [allocation]);
  assert.ok(!existsSync(at('networks.json')));
  writeFileSync(at('networks.json'), '{"networks":[');
  assert.deepEqual(openNetworkStore(db, at('networks.json')).listNetworks(), [network]);
});
