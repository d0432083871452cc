import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyEndpointSettings, emptyHostConfig, type EndpointSettings } from '#spec';
import { sandboxRequest } from './sandbox.ts';
import { someContainer } from './testing.ts';

const settings = emptyEndpointSettings();
const nobody = (): never => assert.fail('no other container is asked for');

function plan(mode: string, endpoints: Record<string, EndpointSettings> = {}): unknown {
  return sandboxRequest(someContainer('a', { hostConfig: emptyHostConfig({ NetworkMode: mode }), endpoints }), nobody);
}

test('sandboxRequest asks for the predefined networks and refuses what they cannot do', () => {
  assert.partialDeepStrictEqual(plan('bridge', { bridge: { ...settings, MacAddress: '02:42:00:00:00:01' } }), {
    mode: 'bridge',
    macAddress: '02:42:00:00:00:01',
  });
  assert.partialDeepStrictEqual(plan('none'), { mode: 'none' });
  assert.throws(() => plan('backend'), /network backend not found/);
  assert.throws(() => plan('bridge', { bridge: settings, backend: settings }), /network backend not found/);
  assert.throws(
    () => plan('bridge', { bridge: { ...settings, IPAMConfig: { IPv4Address: '10.0.0.9' } } }),
    /user specified IP address is supported on user defined networks only/,
  );
  assert.throws(() => plan('bridge', { bridge: { ...settings, Aliases: ['db'] } }), /network-scoped alias/);
});

test('sandboxRequest joins the namespace of a running container only', () => {
  const other = someContainer('b', { phase: { status: 'running', pid: 7, startTicks: '1', startedAt: '' } });
  const joining = someContainer('a', { hostConfig: emptyHostConfig({ NetworkMode: `container:${other.id}` }) });
  assert.partialDeepStrictEqual(
    sandboxRequest(joining, () => other),
    { netnsPath: '/proc/7/ns/net' },
  );
  assert.throws(
    () => sandboxRequest(joining, () => someContainer('b', {})),
    /cannot join network namespace of a non running container/,
  );
});
