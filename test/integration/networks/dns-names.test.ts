import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { emptyEndpointSettings, type EndpointSettings } from '#spec';
import { DnsClient } from '../../helpers/dns-client.ts';
import { type CreateBody, useEngine } from '../../helpers/engine.ts';
import { berthOnly } from '../../helpers/target.ts';

const engine = useEngine();

function on(network: string, settings: Partial<EndpointSettings> = {}): CreateBody {
  return {
    HostConfig: { NetworkMode: network },
    NetworkingConfig: { EndpointsConfig: { [network]: emptyEndpointSettings(settings) } },
  };
}

async function addressOf(id: string, network: string): Promise<string> {
  return (await engine.inspect(id)).NetworkSettings.Networks[network]?.IPAddress ?? '';
}

async function clientIn(id: string): Promise<DnsClient> {
  return new DnsClient((await engine.inspect(id)).State.Pid);
}

async function two(t: TestContext, network: string): Promise<{ one: string; other: string; client: DnsClient }> {
  await engine.createNetwork(t, network);
  const one = await engine.runIdle(t, on(network), `${network}-one`);
  const other = await engine.runIdle(t, on(network, { Aliases: ['Shared'] }), `${network}-other`);
  return { one, other, client: await clientIn(one) };
}

describe('names of containers', { concurrency: 3 }, () => {
  test('a container is found by its name, aliases, short ID and hostname, whatever the case', async (t) => {
    const { other, client } = await two(t, 'dns-names');
    const address = await addressOf(other, 'dns-names');
    const hostname = (await engine.inspect(other)).Config.Hostname;
    for (const name of ['dns-names-other', 'DNS-Names-OTHER', 'shared', other.slice(0, 12), hostname]) {
      assert.deepEqual(await client.addresses(name), [address], name);
    }
    for (const name of ['dns-names-other.dns-names', 'shared.dns-names']) {
      assert.deepEqual(await client.addresses(name), [address], name);
    }
  });

  test('programs find it without more ado', async (t) => {
    const { one, other } = await two(t, 'dns-ping');
    const { stdout } = await engine.exec(one, 'ping -c 1 dns-ping-other');
    assert.match(stdout, new RegExp(`PING dns-ping-other \\(${await addressOf(other, 'dns-ping')}\\)`));
    const { stdout: conf } = await engine.exec(one, 'cat /etc/resolv.conf');
    assert.match(conf, /^nameserver 127\.0\.0\.11$/m);
    assert.match(conf, /^options .*ndots:0/m);
  });

  test('an alias of several containers leads to all of them, in changing order', async (t) => {
    await engine.createNetwork(t, 'dns-shared');
    const shared = { Aliases: ['service'] };
    const ids = await Promise.all([0, 1, 2].map(() => engine.runIdle(t, on('dns-shared', shared))));
    const addresses = await Promise.all(ids.map((id) => addressOf(id, 'dns-shared')));
    const client = await clientIn(ids[0] ?? '');
    assert.deepEqual(await client.addresses('service'), addresses.toSorted());
    const first = new Set<string | false>();
    for (let round = 0; round < 60; round++) {
      const [answer] = (await client.ask('service')).answers ?? [];
      first.add(answer?.type === 'A' && answer.data);
    }
    assert.equal(first.size, 3);
  });

  test('addresses lead back to names; other types of a known name are empty', async (t) => {
    const { other, client } = await two(t, 'dns-types');
    const address = await addressOf(other, 'dns-types');
    const reverse = `${address.split('.').toReversed().join('.')}.in-addr.arpa`;
    const pointer = await client.ask(reverse, 'PTR');
    assert.deepEqual(
      pointer.answers?.map((answer) => answer.type === 'PTR' && answer.data),
      ['dns-types-other.dns-types'],
    );
    for (const type of ['AAAA', 'MX'] as const) {
      const reply = await client.ask('dns-types-other', type);
      assert.deepEqual([reply.rcode, reply.answers], ['NOERROR', []], type);
    }
    const [answer] = (await client.ask('dns-types-other')).answers ?? [];
    assert.equal(answer?.type === 'A' && answer.ttl, 600);
  });

  test('names answer over TCP too', async (t) => {
    const { other, client } = await two(t, 'dns-tcp');
    const [first, second] = await client.askTcp(['dns-tcp-other'], ['dns-tcp-other', 'AAAA']);
    assert.deepEqual(
      first?.answers?.map((answer) => answer.type === 'A' && answer.data),
      [await addressOf(other, 'dns-tcp')],
    );
    assert.deepEqual(second?.answers, []);
  });

  test('what joins, leaves, is renamed or stops is known at once', async (t) => {
    const { one, other, client } = await two(t, 'dns-changes');
    await engine.createNetwork(t, 'dns-second');
    const third = await engine.runIdle(t, on('dns-second'), 'dns-third');
    assert.deepEqual(await client.addresses('dns-third'), []);
    await engine.client.post('/networks/dns-second/connect', {}, { json: { Container: one, EndpointConfig: null } });
    assert.deepEqual(await client.addresses('dns-third'), [await addressOf(third, 'dns-second')]);
    await engine.client.post('/networks/dns-second/disconnect', {}, { json: { Container: one, Force: false } });
    assert.deepEqual(await client.addresses('dns-third'), []);

    await engine.client.post(`/containers/${other}/rename`, { name: 'dns-renamed' });
    assert.deepEqual(await client.addresses('dns-renamed'), [await addressOf(other, 'dns-changes')]);
    assert.deepEqual(await client.addresses('dns-changes-other'), []);

    await engine.client.post(`/containers/${other}/stop`);
    assert.deepEqual(await client.addresses('dns-renamed'), []);
    await engine.start(other);
    assert.deepEqual(await client.addresses('dns-renamed'), [await addressOf(other, 'dns-changes')]);
  });

  test('links are names for one container alone', async (t) => {
    await engine.createNetwork(t, 'dns-links');
    const db = await engine.runIdle(t, on('dns-links'), 'dns-db');
    const linked = await engine.runIdle(t, on('dns-links', { Links: ['dns-db:database'] }));
    const address = await addressOf(db, 'dns-links');
    assert.deepEqual(await (await clientIn(linked)).addresses('database'), [address]);
    assert.deepEqual(await (await clientIn(db)).addresses('database'), []);
  });

  test('a running container of the default network has names once it joins another one', async (t) => {
    await engine.createNetwork(t, 'dns-late');
    const peer = await engine.runIdle(t, on('dns-late'), 'dns-peer');
    const late = await engine.runIdle(t);
    assert.doesNotMatch((await engine.exec(late, 'cat /etc/resolv.conf')).stdout, /127\.0\.0\.11/);
    await engine.client.post('/networks/dns-late/connect', {}, { json: { Container: late, EndpointConfig: null } });
    assert.deepEqual(await (await clientIn(late)).addresses('dns-peer'), [await addressOf(peer, 'dns-late')]);
    assert.match((await engine.exec(late, 'cat /etc/resolv.conf')).stdout, /^nameserver 127\.0\.0\.11$/m);
  });

  test('the hosts file has the container on each network, and the hosts that were added', async (t) => {
    await engine.createNetwork(t, 'dns-hosts');
    await engine.createNetwork(t, 'dns-hosts-more');
    const ExtraHosts = ['added:192.0.2.5', 'gateway:host-gateway'];
    const id = await engine.runIdle(t, { HostConfig: { NetworkMode: 'dns-hosts', ExtraHosts } });
    await engine.client.post('/networks/dns-hosts-more/connect', {}, { json: { Container: id, EndpointConfig: null } });
    const { stdout } = await engine.exec(id, 'cat /etc/hosts');
    const hostname = (await engine.inspect(id)).Config.Hostname;
    for (const network of ['dns-hosts', 'dns-hosts-more']) {
      assert.match(stdout, new RegExp(`^${await addressOf(id, network)}\\s+${hostname}$`, 'm'));
    }
    assert.match(stdout, /^192\.0\.2\.5\s+added$/m);
    assert.match(stdout, /^[0-9.]+\s+gateway$/m);
    assert.equal((await engine.exec(id, 'ping -c 1 gateway')).exitCode, 0);
  });

  test('a program in the container may have port 53 of all addresses', async (t) => {
    const { other, client } = await two(t, 'dns-port');
    using _program = client.takePort(53);
    assert.deepEqual(await client.addresses('dns-port-other'), [await addressOf(other, 'dns-port')]);
    assert.equal((await client.askTcp(['dns-port-other']))[0]?.answers?.length, 1);
  });
});

describe('the daemon', berthOnly, () => {
  test('answers for containers that ran while it was killed', async (t) => {
    const { one, other, client } = await two(t, 'dns-kill');
    await engine.client.post(`/containers/${other}/rename`, { name: 'dns-kill-renamed' });
    await engine.daemon.kill9();
    await engine.daemon.launch();
    const address = await addressOf(other, 'dns-kill');
    assert.deepEqual(await client.addresses('dns-kill-renamed'), [address]);
    assert.deepEqual(await client.addresses('shared'), [address]);
    assert.equal((await engine.exec(one, 'ping -c 1 dns-kill-renamed')).exitCode, 0);
  });
});
