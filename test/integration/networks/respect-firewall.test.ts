import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useEngine } from '../../helpers/engine.ts';
import { runNft } from '../../helpers/nft.ts';
import { ask, connectOutside, firstPort, whoServer } from '../../helpers/outside.ts';
import { berthOnly } from '../../helpers/target.ts';
import { until } from '../../helpers/until.ts';

const engine = useEngine({ flags: ['--respect-firewall', '--warn-public-ports'] });

test("published ports obey the host's rules for what comes in", berthOnly, async (t) => {
  const port = firstPort(engine);
  const { hostAddress, netnsPath } = connectOutside(t, engine);
  const created = await engine.client.post<{ Id: string; Warnings: string[] }>(
    '/containers/create',
    {},
    {
      json: {
        Image: 'berth-test/busybox',
        Cmd: ['sh', '-c', whoServer(80)],
        ExposedPorts: { '80/tcp': {} },
        HostConfig: { PortBindings: { '80/tcp': [{ HostIp: '', HostPort: String(port) }] } },
      },
    },
  );
  engine.removeAfter(t, created.Id);
  assert.match(created.Warnings.join(), /Port 80\/tcp is published at all addresses/);
  await engine.start(created.Id);
  const where = { address: hostAddress, port, netnsPath };
  await until(async () => /from /.test(await ask(where)), { what: 'an answer through the daemon' });
  const table = `inet berth-test-input-${process.pid}`;
  runNft(`add table ${table}
    add chain ${table} input { type filter hook input priority filter; policy accept; }
    add rule ${table} input iifname "bout*" tcp dport ${port} drop`);
  try {
    assert.equal(await ask(where), '');
    assert.match(await ask({ address: '127.0.0.1', port }), /from /);
  } finally {
    runNft(`delete table ${table}`);
  }
});
