import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from '#lib';
import type { Link } from '#sys';
import { parseCidr } from '../ipam/ipv4.ts';
import { defaultPools } from '../ipam/pools.ts';
import { chooseNetwork, type NetworkChoice } from './choose.ts';
import { planCleanup } from './leftovers.ts';
import { planBridge } from './plan.ts';

const wanted = { name: 'berth0', macAddress: '02:42:00:00:00:01', mtu: 1500, address: '172.17.0.1', prefixLength: 24 };

function link(overrides: Partial<Link>): Link {
  return {
    index: 5,
    name: 'berth0',
    kind: 'bridge',
    macAddress: wanted.macAddress,
    mtu: 1500,
    up: true,
    operState: 'up',
    masterIndex: undefined,
    alias: undefined,
    stats: undefined,
    ...overrides,
  };
}

test('planBridge makes what is missing', () => {
  assert.deepEqual(planBridge({ link: undefined, addresses: [] }, wanted), [
    { step: 'createBridge', name: 'berth0', macAddress: wanted.macAddress, mtu: 1500 },
    { step: 'addAddress', address: '172.17.0.1', prefixLength: 24 },
    { step: 'setBridge', up: true },
  ]);
});

test('planBridge leaves alone what is right and corrects what is not', () => {
  const address = { linkIndex: 5, address: '172.17.0.1', prefixLength: 24 };
  const linkLocal = { linkIndex: 5, address: 'fe80::1', prefixLength: 64 };
  assert.deepEqual(planBridge({ link: link({}), addresses: [address, linkLocal] }, wanted), []);
  const old = { ...address, prefixLength: 16 };
  assert.deepEqual(planBridge({ link: link({ up: false, mtu: 1400 }), addresses: [old] }, wanted), [
    { step: 'removeAddress', address: '172.17.0.1', prefixLength: 16 },
    { step: 'addAddress', address: '172.17.0.1', prefixLength: 24 },
    { step: 'setBridge', mtu: 1500, up: true },
  ]);
});

test('planBridge refuses a link of another kind', () => {
  assert.throws(() => planBridge({ link: link({ kind: 'veth' }), addresses: [] }, wanted), {
    kind: 'conflict',
    message: 'network interface berth0 exists and is not a bridge',
  });
});

test('planCleanup removes only ports of our bridge, links with our alias and namespaces of nothing running', () => {
  const steps = planCleanup({
    links: [
      link({}),
      link({ index: 6, name: 'vethaaa', kind: 'veth', masterIndex: 5 }),
      link({ index: 7, name: 'vethbbb', kind: 'veth', masterIndex: 5 }),
      link({ index: 8, name: 'vethccc', kind: 'veth', masterIndex: 99 }),
      link({ index: 9, name: 'vethddd', kind: 'veth', alias: 'berth:berth0' }),
      link({ index: 10, name: 'tap0', kind: 'tun', masterIndex: 5 }),
      link({ index: 11, name: 'vm-port', kind: 'veth', masterIndex: 5 }),
    ],
    bridgeIndexes: new Set([5]),
    alias: 'berth:berth0',
    netnsNames: ['run', 'gone'],
    keepLinks: new Set(['vethaaa']),
    keepContainers: new Set(['run']),
  });
  assert.deepEqual(steps, [
    { step: 'removeLink', name: 'vethbbb' },
    { step: 'removeLink', name: 'vethddd' },
    { step: 'removeNetns', containerId: 'gone' },
  ]);
});

test('chooseNetwork follows the configuration, then the past, then what is free', () => {
  const warnings: string[] = [];
  const base: NetworkChoice = {
    id: 'n',
    name: 'bridge',
    bridgeAddress: undefined,
    pools: defaultPools,
    taken: [],
    stored: undefined,
    inUse: false,
    created: 'now',
    logger: createLogger('warn', (line) => void warnings.push(line)),
  };
  const stored = { id: 'n', name: 'bridge', subnet: '172.20.0.0/24', gateway: '172.20.0.1', created: 'then' };
  const clash = [parseCidr('172.20.0.0/16').subnet];
  assert.deepEqual(chooseNetwork(base), { ...stored, subnet: '172.17.0.0/24', gateway: '172.17.0.1', created: 'now' });
  assert.deepEqual(chooseNetwork({ ...base, stored }), stored);
  assert.equal(chooseNetwork({ ...base, stored, taken: clash }).subnet, '172.17.0.0/24');
  assert.equal(warnings.length, 0);
  assert.deepEqual(chooseNetwork({ ...base, stored, taken: clash, inUse: true }), stored);
  assert.equal(warnings.length, 1);
  assert.deepEqual(chooseNetwork({ ...base, stored, bridgeAddress: '10.5.5.9/28' }), {
    ...stored,
    subnet: '10.5.5.0/28',
    gateway: '10.5.5.9',
  });
});
