import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyEndpointSettings, emptyHostConfig, type EndpointSettings } from '#spec';
import type { NetworkDescription } from '#net';
import { chooseEndpoints } from '../networks/endpoint-settings.ts';
import { sandboxRequest } from './sandbox.ts';
import { someContainer } from './testing.ts';

const settings = emptyEndpointSettings();
const nobody = (): never => assert.fail('no other container is asked for');
const networks = { bridge: 'bridge', none: 'null', host: 'host', backend: 'bridge', zone: 'bridge' } as const;

function network(name: string): NetworkDescription | undefined {
  const [known] = Object.entries(networks).filter(([one]) => one === name);
  if (known === undefined) return undefined;
  return {
    id: `id-${name}`,
    name,
    driver: known[1],
    scope: 'local',
    created: '',
    predefined: ['bridge', 'none', 'host'].includes(name),
    internal: false,
    attachable: false,
    enableIPv6: false,
    blocks: [],
    options: {},
    labels: {},
    endpoints: new Map(),
  };
}

function plan(mode: string, given: Record<string, EndpointSettings> = {}): unknown {
  const hostConfig = emptyHostConfig({ NetworkMode: mode });
  const endpoints = chooseEndpoints(given, hostConfig, {}, network);
  return sandboxRequest(someContainer('a', { hostConfig, endpoints }), { container: nobody, network });
}

test('sandboxRequest asks for the predefined networks and refuses what they cannot do', () => {
  assert.partialDeepStrictEqual(plan('bridge', { default: { ...settings, MacAddress: '02:42:00:00:00:01' } }), {
    mode: 'own',
    endpoints: [{ networkId: 'id-bridge', macAddress: '02:42:00:00:00:01' }],
  });
  assert.partialDeepStrictEqual(plan('none'), { mode: 'own', endpoints: [] });
  assert.partialDeepStrictEqual(plan('host'), { mode: 'host', endpoints: [] });
  assert.throws(() => plan('absent'), /network absent not found/);
  assert.throws(() => plan('bridge', { bridge: settings, absent: settings }), /network absent not found/);
  assert.throws(
    () => plan('bridge', { bridge: { ...settings, IPAMConfig: { IPv4Address: '10.0.0.9' } } }),
    /user specified IP address is supported on user defined networks only/,
  );
  assert.throws(() => plan('bridge', { bridge: { ...settings, Aliases: ['db'] } }), /network-scoped alias/);
});

test('sandboxRequest puts the network of the mode first and hands addresses and names on', () => {
  const asked = { ...settings, IPAMConfig: { IPv4Address: '10.0.0.9' }, Aliases: ['db', 'db'], GwPriority: 3 };
  assert.partialDeepStrictEqual(plan('zone', { backend: asked, zone: settings }), {
    endpoints: [
      { networkId: 'id-zone', names: ['name-a', 'a'.repeat(12)] },
      {
        networkId: 'id-backend',
        address: '10.0.0.9',
        names: ['name-a', 'db', 'a'.repeat(12)],
        gatewayPriority: 3,
      },
    ],
  });
  assert.throws(
    () => plan('zone', { zone: { ...settings, IPAMConfig: { IPv4Address: '300.1.1.1' } } }),
    /invalid IPv4 address: 300\.1\.1\.1/,
  );
});

test('sandboxRequest joins the namespace of a running container only', () => {
  const other = someContainer('b', { phase: { status: 'running', pid: 7, startTicks: '1', startedAt: '' } });
  const joining = someContainer('a', { hostConfig: emptyHostConfig({ NetworkMode: `container:${other.id}` }) });
  assert.partialDeepStrictEqual(sandboxRequest(joining, { container: () => other, network }), {
    netnsPath: '/proc/7/ns/net',
  });
  assert.throws(
    () => sandboxRequest(joining, { container: () => someContainer('b', {}), network }),
    /cannot join network namespace of a non running container/,
  );
});
