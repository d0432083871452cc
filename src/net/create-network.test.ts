import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NetworkSpec } from './contract.ts';
import { type NetworkSurroundings, planNetwork } from './create-network.ts';
import { parseCidr } from './ipam/ipv4.ts';
import { defaultPools } from './ipam/pools.ts';
import type { NetworkRecord } from './store.ts';

const identity = { id: 'abcdef0123456789', created: 'now' };
const standard: NetworkRecord = {
  id: 'd',
  name: 'bridge',
  subnet: '172.17.0.0/24',
  gateway: '172.17.0.1',
  created: 't',
};
const surroundings: NetworkSurroundings = {
  networks: [standard],
  defaultBridge: 'berth0',
  taken: [parseCidr('172.17.1.0/24').subnet],
  pools: defaultPools,
  mtu: 1500,
};

function plan(spec: Partial<NetworkSpec>, around: Partial<NetworkSurroundings> = {}): NetworkRecord {
  const full: NetworkSpec = {
    name: 'n',
    driver: '',
    internal: false,
    attachable: false,
    enableIPv6: false,
    ipamDriver: '',
    blocks: [],
    options: {},
    labels: {},
    ...spec,
  };
  return planNetwork(full, identity, { ...surroundings, ...around });
}

test('planNetwork takes the first /24 that neither the host nor another network has', () => {
  const record = plan({});
  assert.equal(record.subnet, '172.17.2.0/24');
  assert.equal(record.gateway, '172.17.2.1');
  assert.equal(record.custom?.bridgeName, 'br-abcdef012345');
  const pools = [{ space: parseCidr('172.17.0.0/23').subnet, prefixLength: 24 }];
  assert.throws(() => plan({}, { pools }), {
    kind: 'invalidArgument',
    message: 'all predefined address pools have been fully subnetted',
  });
});

test('planNetwork keeps what was asked and chooses a gateway that nothing else has', () => {
  const auxiliary = { printer: '10.1.0.1' };
  const record = plan({ blocks: [{ subnet: '10.1.0.0/16', ipRange: '10.1.5.0/24', auxiliary }], internal: true });
  assert.equal(record.gateway, '10.1.0.2');
  assert.deepEqual(record.custom, {
    bridgeName: 'br-abcdef012345',
    internal: true,
    attachable: false,
    options: {},
    labels: {},
    ipRange: '10.1.5.0/24',
    auxiliary,
  });
});

test('planNetwork tells all problems with addresses at once', () => {
  const block = {
    subnet: '10.1.0.0/24',
    ipRange: '10.0.0.0/16',
    gateway: '10.2.0.1',
    auxiliary: { a: '10.1.1.1' },
  };
  assert.throws(() => plan({ blocks: [block] }), {
    kind: 'invalidArgument',
    message: [
      'invalid network config:',
      'invalid ip-range 10.0.0.0/16: CIDR block is bigger than its parent subnet 10.1.0.0/24',
      "invalid ip-range 10.0.0.0/16: parent subnet 10.1.0.0/24 doesn't contain ip-range",
      "invalid gateway 10.2.0.1: parent subnet 10.1.0.0/24 doesn't contain this address",
      "invalid auxiliary address a: parent subnet 10.1.0.0/24 doesn't contain this address",
    ].join('\n'),
  });
  assert.throws(
    () => plan({ blocks: [{ subnet: '10.1.0.0/24', ipRange: '10.3.0.0/25' }] }),
    /doesn't contain ip-range/,
  );
  assert.throws(() => plan({ blocks: [{ subnet: '10.1.0.0/31' }] }), /too small/);
});

test('planNetwork refuses what another network has', () => {
  assert.throws(() => plan({ name: 'bridge' }), { kind: 'forbidden' });
  const other: NetworkRecord = { ...standard, id: 'o', name: 'other', subnet: '10.1.0.0/24' };
  const networks = [standard, other];
  assert.throws(() => plan({ name: 'other' }, { networks }), { kind: 'conflict' });
  assert.throws(() => plan({ blocks: [{ subnet: '10.1.0.0/16' }] }, { networks }), /Pool overlaps/);
  const options = { 'com.docker.network.bridge.name': 'berth0' };
  assert.throws(() => plan({ options }), /conflicts with network d \(berth0\): networks have same bridge name/);
});

test('planNetwork refuses what this engine does not have', () => {
  assert.throws(() => plan({ driver: 'host' }), /only one instance of "host" network is allowed/);
  assert.throws(() => plan({ driver: 'macvlan' }), { kind: 'notImplemented' });
  assert.throws(() => plan({ enableIPv6: true }), { kind: 'notImplemented' });
  assert.throws(() => plan({ ipamDriver: 'dhcp' }), /plugin "dhcp" not found/);
  assert.throws(() => plan({ blocks: [{ subnet: '10.1.0.0/24' }, { subnet: '10.2.0.0/24' }] }), /multiple subnets/);
  assert.throws(() => plan({ options: { 'com.docker.network.driver.mtu': '12' } }), { kind: 'invalidArgument' });
  assert.throws(
    () => plan({ options: { 'com.docker.network.bridge.name': 'a name that is too long' } }),
    /bridge name/,
  );
});
