import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { DnsClient } from '../../helpers/dns-client.ts';
import { address, DnsUpstream } from '../../helpers/dns-upstream.ts';
import { until } from '../../helpers/until.ts';
import { createFixture, networkSpec } from './fixture.ts';

test('unknown names go to the resolvers that the host has at the time, also those on its loopback', async (t) => {
  const hostResolvConf = join(tmpdir(), `berth-resolv-${process.pid}.conf`);
  const [first, second] = [process.pid, process.pid + 1].map((n) => `127.53.${(n >> 8) & 255}.${n & 255 || 1}`);
  assert.ok(first !== undefined && second !== undefined);
  await DnsUpstream.start(t, first, (question) => ({ answers: [address(question, '192.0.2.1')] }));
  await DnsUpstream.start(t, second, (question) => ({ answers: [address(question, '192.0.2.2')] }));
  writeFileSync(hostResolvConf, `nameserver ${first}\n`);
  t.after(() => rmSync(hostResolvConf));
  await using fixture = createFixture({ hostResolvConf });
  const { networks } = fixture;
  await networks.open();
  const { id: networkId } = await networks.createNetwork(networkSpec('names'));
  const request = { mode: 'own', sysctls: {} } as const;
  const sandbox = await networks.create({ ...request, containerId: 'aa', endpoints: [{ networkId, names: ['box'] }] });
  const client = new DnsClient(sandbox.netnsPath ?? '');
  assert.deepEqual(await client.addresses('some.example'), ['192.0.2.1']);
  writeFileSync(hostResolvConf, `# changed\nnameserver ${second}\n`);
  const followed = async (): Promise<boolean> => (await client.addresses('some.example'))[0] === '192.0.2.2';
  await until(followed, { what: 'the changed resolv.conf', timeoutMs: 5000 });

  const plain = await networks.createNetwork(networkSpec('inner', { internal: true }));
  await networks.create({ ...request, containerId: 'bb', endpoints: [{ networkId: plain.id, names: ['inside'] }] });
  assert.equal((await new DnsClient(join(fixture.options.execRoot, 'netns/bb')).ask('some.example')).rcode, 'SERVFAIL');
});
