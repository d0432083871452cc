import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerSummary } from '#spec';
import { refuses, type CreateBody, useEngine } from '../../helpers/engine.ts';
import { ask, connectOutside, firstPort, whoServer } from '../../helpers/outside.ts';
import { berthOnly } from '../../helpers/target.ts';
import { until } from '../../helpers/until.ts';

const engine = useEngine();

function publishing(bindings: Record<string, { HostIp?: string; HostPort: string }[]>): CreateBody {
  const PortBindings = Object.fromEntries(
    Object.entries(bindings).map(([port, given]) => [port, given.map((one) => ({ HostIp: '', ...one }))]),
  );
  const ExposedPorts = Object.fromEntries(Object.keys(bindings).map((port) => [port, {}]));
  return { ExposedPorts, HostConfig: { PortBindings } };
}

async function answers(where: Parameters<typeof ask>[0], wanted: RegExp): Promise<string> {
  return await until(
    async () => {
      const text = await ask(where);
      assert.match(text, wanted);
      return text;
    },
    { what: `an answer at ${where.address}:${where.port}` },
  );
}

const inside = (address: string, port: number): string =>
  `printf 'GET /cgi-bin/who HTTP/1.0\\r\\n\\r\\n' | timeout 5 nc ${address} ${port}`;

test('a published port is reached from outside, by loopback, by other containers and by its own', async (t) => {
  const port = firstPort(engine);
  const outside = connectOutside(t, engine);
  await engine.createNetwork(t, 'elsewhere');
  const web = await engine.run(t, whoServer(80), publishing({ '80/tcp': [{ HostPort: String(port) }] }), 'web');
  const neighbour = await engine.runIdle(t);
  const stranger = await engine.runIdle(t, { HostConfig: { NetworkMode: 'elsewhere' } });

  const { hostAddress, address, netnsPath } = outside;
  await answers({ address: hostAddress, port, netnsPath }, new RegExp(`from .*${address.replaceAll('.', '\\.')}`));
  await answers({ address: '127.0.0.1', port }, /from /);
  await answers({ address: '::1', port }, /from /);
  await answers({ address: hostAddress, port }, /from /);
  assert.match((await engine.exec(neighbour, inside(hostAddress, port))).stdout, /from /);
  assert.match((await engine.exec(web, inside(hostAddress, port))).stdout, /from /);
  assert.match((await engine.exec(stranger, inside(hostAddress, port))).stdout, /from /);

  const { NetworkSettings } = await engine.inspect(web);
  const wanted = [
    { HostIp: '0.0.0.0', HostPort: String(port) },
    { HostIp: '::', HostPort: String(port) },
  ];
  assert.deepEqual(NetworkSettings.Ports, { '80/tcp': wanted });
  const [listed] = await engine.client.get<ContainerSummary[]>('/containers/json', {
    filters: JSON.stringify({ id: [web] }),
  });
  assert.deepEqual(listed?.Ports, [
    { IP: '0.0.0.0', PrivatePort: 80, PublicPort: port, Type: 'tcp' },
    { IP: '::', PrivatePort: 80, PublicPort: port, Type: 'tcp' },
  ]);
  const { stdout } = await engine.docker(['port', 'web']);
  assert.equal(stdout, `80/tcp -> 0.0.0.0:${port}\n80/tcp -> [::]:${port}\n`);
});

test('what is published on loopback is not for others, and containers do not get at the host by it', async (t) => {
  const port = firstPort(engine) + 1;
  const { hostAddress, netnsPath } = connectOutside(t, engine);
  await engine.run(t, whoServer(80), publishing({ '80/tcp': [{ HostIp: '127.0.0.1', HostPort: String(port) }] }));
  await answers({ address: '127.0.0.1', port }, /from /);
  assert.equal(await ask({ address: hostAddress, port }), '');
  assert.equal(await ask({ address: hostAddress, port, netnsPath }), '');
});

test('a port that somebody has is refused at start', async (t) => {
  const port = firstPort(engine) + 2;
  await engine.runIdle(t, publishing({ '80/tcp': [{ HostPort: String(port) }] }));
  const second = await engine.create(t, publishing({ '80/tcp': [{ HostPort: String(port) }] }), 'second');
  const taken = new RegExp(
    `driver failed programming external connectivity on endpoint second \\([0-9a-f]{64}\\): Bind for 0\\.0\\.0\\.0:${port} failed: port is already allocated`,
  );
  await refuses(engine.start(second), 500, taken);
  assert.equal(await engine.status(second), 'created');
});

test('the daemon dies and comes back: ports stay where they are', berthOnly, async (t) => {
  const port = firstPort(engine) + 3;
  const { hostAddress, netnsPath } = connectOutside(t, engine);
  const web = await engine.run(t, whoServer(80), publishing({ '80/tcp': [{ HostPort: String(port) }] }));
  const where = { address: hostAddress, port, netnsPath };
  await answers(where, /from /);
  await engine.daemon.kill9();
  assert.match(await ask(where), /from /);
  await engine.daemon.launch();
  assert.match(await ask(where), /from /);
  await answers({ address: '::1', port }, /from /);
  const other = await engine.create(t, publishing({ '80/tcp': [{ HostPort: String(port) }] }));
  await refuses(engine.start(other), 500, /port is already allocated/);
  await engine.remove(web);
  await engine.start(other);
});
