import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { NetworkCreateRequest, NetworkInspect } from '#spec';
import { refuses, useEngine } from '../../helpers/engine.ts';
import { berthOnly } from '../../helpers/target.ts';

const engine = useEngine();

async function inspect(ref: string): Promise<NetworkInspect> {
  return await engine.client.get<NetworkInspect>(`/networks/${ref}`);
}

async function names(filters: Record<string, string[]>): Promise<string[]> {
  const rows = await engine.client.get<NetworkInspect[]>('/networks', { filters: JSON.stringify(filters) });
  return rows.map(({ Name }) => Name).toSorted();
}

async function create(body: Partial<NetworkCreateRequest>): Promise<unknown> {
  return await engine.client.post('/networks/create', {}, { json: body });
}

const block = { Subnet: '10.207.1.0/24', IPRange: '10.207.1.128/25', AuxiliaryAddresses: { printer: '10.207.1.130' } };

describe('networks', () => {
  test('a network shows what it was made with, and a /24 of the pools when nothing was asked', async (t) => {
    const plain = await engine.createNetwork(t, 'plain');
    const { Created, IPAM, ...rest } = await inspect('plain');
    assert.match(Created, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/);
    assert.deepEqual(rest, {
      Name: 'plain',
      Id: plain,
      Scope: 'local',
      Driver: 'bridge',
      EnableIPv4: true,
      EnableIPv6: false,
      Internal: false,
      Attachable: false,
      Ingress: false,
      ConfigFrom: { Network: '' },
      ConfigOnly: false,
      Containers: {},
      Options: {},
      Labels: {},
    });
    assert.equal(IPAM.Driver, 'default');
    assert.match(IPAM.Config[0]?.Subnet ?? '', /^\d+\.\d+\.\d+\.0\/24$/);
    assert.equal(IPAM.Config[0]?.Gateway, IPAM.Config[0]?.Subnet?.replace(/0\/24$/, '1'));
    await engine.createNetwork(t, 'detailed', {
      Driver: 'bridge',
      IPAM: { Driver: 'default', Options: {}, Config: [{ ...block, Gateway: '10.207.1.7' }] },
      Attachable: true,
      Options: { 'com.docker.network.bridge.enable_icc': 'false', 'example.com/own': 'kept' },
      Labels: { purpose: 'test' },
    });
    assert.partialDeepStrictEqual(await inspect('detailed'), {
      IPAM: { Config: [{ ...block, Gateway: '10.207.1.7' }] },
      Attachable: true,
      Options: { 'com.docker.network.bridge.enable_icc': 'false', 'example.com/own': 'kept' },
      Labels: { purpose: 'test' },
    });
    assert.equal((await inspect(plain.slice(0, 10))).Name, 'plain');
  });

  test('what cannot be is refused in the words of Docker', async (t) => {
    const config = (Subnet: string): Pick<NetworkCreateRequest, 'IPAM'> => ({
      IPAM: { Driver: '', Options: null, Config: [{ Subnet }] },
    });
    await engine.createNetwork(t, 'first', config('10.207.2.0/24'));
    await refuses(create({ Name: 'first' }), 409, /^network with name first already exists$/);
    await refuses(create({ Name: 'second', ...config('10.207.2.128/25') }), 403, /Pool overlaps with other one/);
    await refuses(
      create({ Name: 'second', ...config('10.207.3.5/24') }),
      400,
      /^invalid network config:\ninvalid subnet 10\.207\.3\.5\/24: it should be 10\.207\.3\.0\/24$/,
    );
    await refuses(create({ Name: 'second', Driver: 'carrier-pigeon' }), 404, /plugin "carrier-pigeon" not found/);
    await refuses(create({ Name: 'host' }), 403, /operation is not permitted on predefined host network/);
    await refuses(create({ Name: ' ' }), 400, /name is empty/);
    await refuses(
      create({ Name: 'second', Options: { 'com.docker.network.bridge.enable_icc': 'perhaps' } }),
      400,
      /failed to parse com\.docker\.network\.bridge\.enable_icc value: "perhaps"/,
    );
    await refuses(
      engine.client.delete('/networks/bridge'),
      403,
      /bridge is a pre-defined network and cannot be removed/,
    );
    await refuses(engine.client.delete('/networks/absent'), 404, /network absent not found/);
    assert.deepEqual(await names({ type: ['custom'] }), ['first']);
  });

  test('ls filters', async (t) => {
    await engine.createNetwork(t, 'used', { Labels: { a: '1' } });
    await engine.createNetwork(t, 'unused');
    await engine.runIdle(t, { HostConfig: { NetworkMode: 'used' } });
    assert.deepEqual(await names({ type: ['builtin'] }), ['bridge', 'host', 'none']);
    assert.deepEqual(await names({ dangling: ['true'] }), ['unused']);
    assert.deepEqual(await names({ dangling: ['false'] }), ['bridge', 'host', 'none', 'used']);
    assert.deepEqual(await names({ label: ['a=1'] }), ['used']);
    assert.deepEqual(await names({ name: ['used'] }), ['unused', 'used']);
    await refuses(names({ type: ['odd'] }), 400, /invalid filter: 'type'='odd'/);
    await refuses(names({ odd: ['x'] }), 400, /invalid filter 'odd'/);
  });

  test('prune takes what nobody runs on, and events tell of everything', async (t) => {
    const events = await engine.events(t, { type: ['network'] });
    const used = await engine.createNetwork(t, 'used');
    const id = await engine.runIdle(t, { HostConfig: { NetworkMode: 'used' } });
    const idle = await engine.createNetwork(t, 'idle');
    await refuses(
      engine.client.delete('/networks/used'),
      403,
      new RegExp(`^error while removing network: network used id ${used} has active endpoints$`),
    );
    assert.deepEqual(await engine.client.post('/networks/prune'), { NetworksDeleted: ['idle'] });
    assert.deepEqual(await engine.client.post('/networks/prune'), { NetworksDeleted: null });
    await engine.remove(id);
    await engine.client.delete('/networks/used');
    await events.action('destroy', used);
    const seen = events.seen.map(({ Action, Actor }) => [Action, Actor.ID, Actor.Attributes]);
    const usedIs = { name: 'used', type: 'bridge' };
    assert.deepEqual(seen, [
      ['create', used, usedIs],
      ['connect', used, { ...usedIs, container: id }],
      ['create', idle, { name: 'idle', type: 'bridge' }],
      ['destroy', idle, { name: 'idle', type: 'bridge' }],
      ['prune', '', { reclaimed: '0' }],
      ['prune', '', { reclaimed: '0' }],
      ['disconnect', used, { ...usedIs, container: id }],
      ['destroy', used, usedIs],
    ]);
  });

  test('networks, addresses and their containers survive the daemon', berthOnly, async (t) => {
    await engine.createNetwork(t, 'lasting', { IPAM: { Driver: '', Options: null, Config: [block] } });
    const id = await engine.runIdle(t, { HostConfig: { NetworkMode: 'lasting' } });
    const before = await inspect('lasting');
    assert.equal(before.Containers[id]?.IPv4Address, '10.207.1.128/24');
    await engine.daemon.terminate();
    await engine.daemon.launch();
    assert.deepEqual(await inspect('lasting'), before);
    const other = await engine.output(t, 'ping -c 1 -W 5 10.207.1.128 >/dev/null && ip -4 -o addr show eth0', {
      HostConfig: { NetworkMode: 'lasting' },
    });
    assert.match(other.stdout, /inet 10\.207\.1\.129\/24/);
  });
});
