import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import type { ContainerSummary } from '#spec';
import { refuses, type CreateBody, useEngine } from '../../helpers/engine.ts';
import { ask, askUdp, connectOutside, firstPort, serveUdp, whoServer } from '../../helpers/outside.ts';
import { runNft } from '../../helpers/nft.ts';
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
  // Up to 20.10 the CLI prints no brackets.
  assert.equal(stdout.replace(':::', '[::]:'), `80/tcp -> 0.0.0.0:${port}\n80/tcp -> [::]:${port}\n`);
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

async function pidOf(id: string): Promise<number> {
  return (await engine.inspect(id)).State.Pid;
}

test('datagrams of a sender are led to the container that has the port now', async (t) => {
  const port = firstPort(engine) + 4;
  const { hostAddress, netnsPath } = connectOutside(t, engine);
  const body = publishing({ '53/udp': [{ HostPort: String(port) }] });
  const where = { address: hostAddress, port, netnsPath, from: 5353 };
  assert.equal(await askUdp(where), '');
  const first = await engine.runIdle(t, body);
  await serveUdp(t, await pidOf(first), 53, 'first');
  assert.match(await askUdp(where), /^first 198\.18\./);
  assert.match(await askUdp({ address: '127.0.0.1', port, from: 0 }), /^first /);
  assert.match(await askUdp({ address: '::1', port, from: 0 }), /^first /);
  await engine.remove(first);
  const second = await engine.runIdle(t, body);
  await serveUdp(t, await pidOf(second), 53, 'second');
  assert.match(await askUdp(where), /^second /);
});

test('ranges, ports of our choice and all exposed ports', async (t) => {
  const first = firstPort(engine) + 10;
  const range = `${first}-${first + 1}`;
  const chosen = async (body: CreateBody): Promise<(string | undefined)[]> => {
    const { Ports } = (await engine.inspect(await engine.runIdle(t, body))).NetworkSettings;
    return Object.values(Ports).map((bindings) => bindings?.[0]?.HostPort);
  };
  const ranged = publishing({ '80/tcp': [{ HostIp: '0.0.0.0', HostPort: range }] });
  assert.deepEqual(await chosen(ranged), [String(first)]);
  assert.deepEqual(await chosen(ranged), [String(first + 1)]);
  const third = await engine.create(t, ranged);
  await refuses(engine.start(third), 500, /all ports are allocated/);
  const [ephemeral] = await chosen(publishing({ '80/tcp': [{ HostPort: '' }] }));
  assert.ok(Number(ephemeral) >= 32768, ephemeral);
  const all = await chosen({ ExposedPorts: { '80/tcp': {}, '81/udp': {} }, HostConfig: { PublishAllPorts: true } });
  assert.equal(all.length, 2);
  assert.ok(all.every((port) => Number(port) >= 32768));
});

test('ports come and go with the way out', berthOnly, async (t) => {
  const port = firstPort(engine) + 20;
  await engine.createNetwork(t, 'closed', { Internal: true });
  await engine.createNetwork(t, 'open');
  const body = publishing({ '80/tcp': [{ HostIp: '127.0.0.1', HostPort: String(port) }] });
  const web = await engine.run(t, whoServer(80), {
    ...body,
    HostConfig: { ...body.HostConfig, NetworkMode: 'closed' },
  });
  const ports = async (): Promise<unknown> => (await engine.inspect(web)).NetworkSettings.Ports;
  const published = { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: String(port) }] };
  assert.deepEqual(await ports(), { '80/tcp': null });
  await engine.client.post('/networks/open/connect', {}, { json: { Container: web } });
  assert.deepEqual(await ports(), published);
  await answers({ address: '127.0.0.1', port }, /from /);
  await engine.client.post('/networks/bridge/connect', {}, { json: { Container: web } });
  await engine.client.post('/networks/open/disconnect', {}, { json: { Container: web } });
  assert.deepEqual(await ports(), published);
  await answers({ address: '127.0.0.1', port }, /from /);
  await engine.client.post('/networks/bridge/disconnect', {}, { json: { Container: web } });
  assert.deepEqual(await ports(), { '80/tcp': null });
  assert.equal(await ask({ address: '127.0.0.1', port }), '');
});

test('what others flush is put back by a repair, and nothing is left of a removed container', berthOnly, async (t) => {
  const port = firstPort(engine) + 21;
  const { hostAddress, netnsPath } = connectOutside(t, engine);
  const web = await engine.run(t, whoServer(80), publishing({ '80/tcp': [{ HostPort: String(port) }] }));
  const where = { address: hostAddress, port, netnsPath };
  await answers(where, /from /);
  const table = `inet berth-${engine.daemon.bridge}`;
  runNft(`flush map ${table} published`);
  assert.equal(await ask(where), '');
  await engine.client.post('/networks/repair');
  await answers(where, /from /);
  runNft(`delete table ${table}`);
  await engine.client.post('/networks/repair');
  await answers(where, /from /);
  await engine.remove(web);
  assert.doesNotMatch(runNft(`list table ${table}`), new RegExp(String(port)));
});

test('a port that another program has is refused, and a restarted container gets its port again', async (t) => {
  const port = firstPort(engine) + 22;
  const other = createServer();
  await new Promise<void>((resolve) => void other.listen(port, '0.0.0.0', resolve));
  const id = await engine.create(t, {
    Cmd: ['sleep', '1000'],
    ...publishing({ '80/tcp': [{ HostPort: String(port) }] }),
  });
  try {
    await refuses(engine.start(id), 500, /address already in use/);
  } finally {
    await new Promise((resolve) => void other.close(resolve));
  }
  await engine.start(id);
  await engine.client.post(`/containers/${id}/restart`, { t: 0 });
  assert.equal((await engine.inspect(id)).NetworkSettings.Ports['80/tcp']?.[0]?.HostPort, String(port));
});
