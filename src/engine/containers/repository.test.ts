import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyEndpointSettings, emptyHostConfig } from '#spec';
import { decode } from './repository.ts';
import { someContainer } from './testing.ts';

test('records of versions that knew one network per container are read', () => {
  const hostConfig = emptyHostConfig({ NetworkMode: 'bridge' });
  const { endpoints: _, ...former } = someContainer('a', { hostConfig });
  const sandbox = { containerId: former.id, netnsPath: '/run/netns/a', endpoint: { networkName: 'bridge' } };
  assert.partialDeepStrictEqual(decode(JSON.stringify({ ...former, sandbox })), {
    endpoints: { bridge: emptyEndpointSettings() },
    sandbox: { endpoints: [{ networkName: 'bridge', interfaceName: 'eth0', names: [] }] },
  });
  const { sandbox: __, ...never } = former;
  assert.equal(decode(JSON.stringify(never)).sandbox, undefined);
});
