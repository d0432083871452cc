import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRecordingSys } from '#sys';
import type { Endpoint } from './contract.ts';
import { chooseGateway, nextInterfaceName, syncDefaultRoute } from './sandbox.ts';

function endpoint(networkName: string, own: Partial<Endpoint> = {}): Endpoint {
  return {
    networkId: networkName,
    networkName,
    endpointId: networkName,
    address: '10.0.0.2',
    prefixLength: 24,
    gateway: `10.0.${networkName.length}.1`,
    macAddress: '02:42:0a:00:00:02',
    interfaceName: 'eth0',
    names: [],
    gatewayPriority: 0,
    ...own,
  };
}

test('chooseGateway goes by priority, then by name, and never through an internal network', () => {
  const [a, bb, inner] = [endpoint('a'), endpoint('bb'), endpoint('A', { gateway: '', gatewayPriority: 9 })];
  assert.equal(chooseGateway([bb, inner, a]), a);
  const preferred = { ...bb, gatewayPriority: 1 };
  assert.equal(chooseGateway([a, preferred]), preferred);
  assert.equal(chooseGateway([inner]), undefined);
});

test('nextInterfaceName fills gaps', () => {
  assert.equal(nextInterfaceName([]), 'eth0');
  assert.equal(nextInterfaceName([endpoint('a', { interfaceName: 'eth1' })]), 'eth0');
  assert.equal(nextInterfaceName([endpoint('a'), endpoint('b', { interfaceName: 'eth1' })]), 'eth2');
});

test('syncDefaultRoute changes only a route that is ours', () => {
  const route = (gateway: string): unknown => ({ destination: undefined, unicast: true, gateway, linkIndex: 2 });
  const changes = (present: unknown[], endpoints: Endpoint[]): string[] => {
    const sys = createRecordingSys({ 'routeSocket.listRoutes': present, 'routeSocket.findLink': { index: 3 } });
    using inside = sys.netlink.openRouteSocket();
    syncDefaultRoute(inside, endpoints);
    return sys.lines().filter((line) => /Route \{/.test(line));
  };
  const [a, bb] = [endpoint('a'), endpoint('bb')];
  assert.deepEqual(changes([], [a]), ['routeSocket.addRoute {"gateway":"10.0.1.1","linkIndex":3}']);
  assert.deepEqual(changes([route('10.0.1.1')], [a, bb]), []);
  assert.deepEqual(changes([route('10.0.2.1')], [a, bb]), [
    'routeSocket.removeRoute {"gateway":"10.0.2.1","linkIndex":2}',
    'routeSocket.addRoute {"gateway":"10.0.1.1","linkIndex":3}',
  ]);
  assert.deepEqual(changes([route('192.0.2.1')], [a]), []);
  assert.deepEqual(changes([], []), []);
});
