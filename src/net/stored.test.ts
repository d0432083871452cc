import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeAllocation, decodeSandbox } from './stored.ts';

const former = {
  networkId: 'n',
  networkName: 'bridge',
  endpointId: 'e',
  address: '172.17.0.2',
  prefixLength: 24,
  gateway: '172.17.0.1',
  macAddress: '02:42:ac:11:00:02',
};
const present = { ...former, interfaceName: 'eth0', names: [], gatewayPriority: 0 };

test('decodeSandbox reads sandboxes of one network, as the first versions stored them', () => {
  const place = { containerId: 'c', netnsPath: '/run/netns/c' };
  assert.deepEqual(decodeSandbox({ ...place, endpoint: former }), { ...place, endpoints: [present] });
  assert.deepEqual(decodeSandbox(place), { ...place, endpoints: [] });
  const own = { ...present, interfaceName: 'eth1', names: ['db'], gatewayPriority: 3 };
  assert.deepEqual(decodeSandbox({ ...place, endpoints: [own] }), { ...place, endpoints: [own] });
});

test('decodeAllocation fills in what came later', () => {
  const { networkName: _, prefixLength: __, gateway: ___, ...stored } = former;
  const later = { interfaceName: 'eth0', names: [], gatewayPriority: 0 };
  assert.deepEqual(decodeAllocation({ ...stored, containerId: 'c' }), { ...stored, containerId: 'c', ...later });
});
