import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFlags } from '../framework/parse.ts';
import { type ContainerRequest, parseContainerOptions } from './container-options.ts';
import { containerFlags, type ContainerFlags } from './flags.ts';
import { dependsOnApiVersion, forApiVersion } from './for-api-version.ts';

function request(...args: string[]): ContainerRequest {
  const line = parseFlags(containerFlags, args, false);
  /* oxlint-disable-next-line typescript/no-unsafe-type-assertion -- parseFlags fills the table's names */
  const flags = line.values as unknown as ContainerFlags;
  return parseContainerOptions(flags, (name) => line.given.has(name), 'image', [], { env: {}, daemonHost: '' });
}

test('forApiVersion gives the MAC address where the version looks for it', () => {
  const withMac = request('--mac-address', '02:42:ac:11:00:02');
  assert.ok(dependsOnApiVersion(withMac));
  const sent = forApiVersion(withMac, '1.44');
  assert.equal(sent.config.MacAddress, undefined);
  assert.equal(sent.networkingConfig.EndpointsConfig['default']?.MacAddress, '02:42:ac:11:00:02');
  assert.throws(() => forApiVersion(withMac, '1.43'), {
    message: '"specify mac-address per network" requires API version 1.44, but the Docker daemon API version is 1.43',
  });
});

test('forApiVersion drops kernel memory from 1.42 on', () => {
  const limited = request('--kernel-memory', '50m');
  assert.equal(forApiVersion(limited, '1.41').hostConfig.KernelMemory, 50 * 1024 ** 2);
  assert.equal(forApiVersion(limited, '1.42').hostConfig.KernelMemory, undefined);
});

test('dependsOnApiVersion spares plain requests the question', () => {
  assert.equal(dependsOnApiVersion(request('-it', '-p', '80:80', '-m', '1g')), false);
});
