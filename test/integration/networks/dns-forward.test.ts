import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import type { HostConfig, NetworkCreateRequest, NetworkInspect } from '#spec';
import { DnsClient, query } from '../../helpers/dns-client.ts';
import { address, DnsUpstream, rcodes, type Script } from '../../helpers/dns-upstream.ts';
import { useEngine } from '../../helpers/engine.ts';
import { berthOnly } from '../../helpers/target.ts';

const engine = useEngine();

/** A network, whose gateway is the host's address for containers. */
async function gatewayOf(t: TestContext, name: string, body: Partial<NetworkCreateRequest> = {}): Promise<string> {
  await engine.createNetwork(t, name, body);
  const { IPAM } = await engine.client.get<NetworkInspect>(`/networks/${name}`);
  return IPAM.Config?.[0]?.Gateway ?? '';
}

async function containerOn(t: TestContext, network: string, host: Partial<HostConfig> = {}): Promise<DnsClient> {
  const id = await engine.runIdle(t, { HostConfig: { NetworkMode: network, ...host } }, `${network}-box`);
  return new DnsClient((await engine.inspect(id)).State.Pid);
}

const answersWith =
  (data: string): Script =>
  (question) => ({ answers: [address(question, data)] });

/** A container that asks one server, which does as the script says. */
async function asking(t: TestContext, network: string, script: Script): Promise<[client: DnsClient, DnsUpstream]> {
  const gateway = await gatewayOf(t, network);
  const upstream = await DnsUpstream.start(t, gateway, script);
  return [await containerOn(t, network, { Dns: [gateway] }), upstream];
}

describe('names that no network knows', { concurrency: 3 }, () => {
  test('are asked of the servers of the container, and answered as those do', async (t) => {
    const [client, upstream] = await asking(t, 'fwd-plain', (question) => {
      if (question.type === 'TXT') return { answers: [{ type: 'TXT', name: question.name, ttl: 9, data: 'hello' }] };
      if (question.name.endsWith('.nowhere')) return { rcode: rcodes.nameError };
      return { answers: [address(question, '192.0.2.7')] };
    });
    assert.deepEqual(await client.addresses('Some.Example'), ['192.0.2.7']);
    const [text] = (await client.ask('some.example', 'TXT')).answers ?? [];
    assert.equal(text?.type === 'TXT' && String(text.data), 'hello');
    assert.equal((await client.ask('some.nowhere')).rcode, 'NXDOMAIN');
    assert.deepEqual(await client.addresses('single'), ['192.0.2.7']);
    assert.equal((await client.ask('fwd-plain-box')).answers?.length, 1);
    assert.deepEqual(upstream.asked, [
      'udp A Some.Example',
      'udp TXT some.example',
      'udp A some.nowhere',
      'udp A single',
    ]);
  });

  test('go to the next server when one is silent, fails or refuses', async (t) => {
    const first = await gatewayOf(t, 'fwd-first');
    const second = await gatewayOf(t, 'fwd-second');
    const scripts: Record<string, Script> = {
      'fails.example': () => ({ rcode: rcodes.serverFailure }),
      'refuses.example': () => ({ rcode: rcodes.refused }),
      'silent.example': () => undefined,
    };
    await DnsUpstream.start(t, first, (question, transport) => scripts[question.name]?.(question, transport));
    await DnsUpstream.start(t, second, answersWith('192.0.2.9'));
    for (const [index, name] of Object.keys(scripts).entries()) {
      const body = { HostConfig: { NetworkMode: 'fwd-first', Dns: [first, second] } };
      const id = await engine.runIdle(t, body, `fwd-failover-${index}`);
      const client = new DnsClient((await engine.inspect(id)).State.Pid);
      assert.deepEqual(await client.addresses(name), ['192.0.2.9'], name);
    }
  });

  test('are asked over TCP when the client asks so, or a server has more to say', async (t) => {
    const [client, upstream] = await asking(t, 'fwd-tcp', (question, transport) =>
      transport === 'udp' && question.name === 'long.example'
        ? { truncated: true }
        : { answers: Array.from({ length: 40 }, (_, index) => address(question, `192.0.2.${index}`)) },
    );
    const plain = await client.ask('long.example');
    assert.ok(plain.flag_tc);
    const [whole] = await client.askTcp(['long.example']);
    assert.equal(whole?.answers?.length, 40);
    assert.deepEqual(upstream.asked, ['udp A long.example', 'tcp A long.example']);
  });

  test('of one label stay inside when the user set ndots', async (t) => {
    const gateway = await gatewayOf(t, 'fwd-ndots');
    const upstream = await DnsUpstream.start(t, gateway, answersWith('192.0.2.1'));
    const client = await containerOn(t, 'fwd-ndots', { Dns: [gateway], DnsOptions: ['ndots:2'] });
    const reply = await client.ask('single');
    assert.deepEqual([reply.rcode, reply.answers], ['NOERROR', []]);
    assert.deepEqual(await client.addresses('some.example'), ['192.0.2.1']);
    assert.deepEqual(upstream.asked, ['udp A some.example']);
  });
});

describe('the resolver of Berth', { concurrency: 3, ...berthOnly }, () => {
  // In these three Docker answers so today; 20.10 leaves the client waiting.
  test('says server failure when all servers fail, or none is there', async (t) => {
    const [client, upstream] = await asking(t, 'fwd-failing', () => ({ rcode: rcodes.serverFailure }));
    assert.equal((await client.ask('some.example')).rcode, 'SERVFAIL');
    assert.ok(upstream.asked.length > 0);
    const gateway = await gatewayOf(t, 'fwd-nobody');
    const lonely = await containerOn(t, 'fwd-nobody', { Dns: [gateway] });
    assert.equal((await lonely.ask('some.example')).rcode, 'SERVFAIL');
  });

  test('asks nobody outside for an internal network', async (t) => {
    await gatewayOf(t, 'fwd-internal', { Internal: true });
    const client = await containerOn(t, 'fwd-internal');
    assert.equal((await client.ask('some.example')).rcode, 'SERVFAIL');
    assert.equal((await client.ask('fwd-internal-box')).answers?.length, 1);
  });

  test('does not ask itself', async (t) => {
    await gatewayOf(t, 'fwd-loop');
    const client = await containerOn(t, 'fwd-loop', { Dns: ['127.0.0.11'] });
    assert.equal((await client.ask('some.example')).rcode, 'SERVFAIL');
  });

  test('fetches over TCP what fits into the datagrams of a client but not of a server', async (t) => {
    const [client, upstream] = await asking(t, 'own-wide', (question, transport) =>
      transport === 'udp'
        ? { truncated: true }
        : { answers: Array.from({ length: 40 }, (_, index) => address(question, `192.0.2.${index}`)) },
    );
    const reply = await client.ask('long.example', 'A', { edns: 4096 });
    assert.ok(!reply.flag_tc);
    assert.equal(reply.answers?.length, 40);
    assert.deepEqual(upstream.asked, ['udp A long.example', 'tcp A long.example']);
  });

  test('cuts off what is longer than the client takes', async (t) => {
    const [client] = await asking(t, 'own-long', (question) => ({
      answers: Array.from({ length: 60 }, (_, index) => address(question, `192.0.2.${index}`)),
    }));
    const reply = await client.ask('long.example');
    assert.ok(reply.flag_tc);
    assert.deepEqual(reply.answers, []);
  });

  test('takes no answer to another question', async (t) => {
    const [client] = await asking(t, 'own-spoof', (question) => ({
      answers: [address(question, '192.0.2.1')],
      spoil: (message) => {
        const otherId = Buffer.from(message);
        otherId.writeUInt16BE((message.readUInt16BE(0) + 1) & 0xffff, 0);
        const otherName = Buffer.from(message);
        otherName.write('evil', 13);
        otherName[otherName.length - 1] = 66;
        const garbage = Buffer.from('garbage');
        return [garbage, otherId, otherName, message];
      },
    }));
    assert.deepEqual(await client.addresses('some.example'), ['192.0.2.1']);
  });

  test('outlives garbage, and says what is wrong where it can', async (t) => {
    const [client] = await asking(t, 'own-garbage', answersWith('192.0.2.1'));
    const loop = query('some.example', 'A');
    loop.set([0xc0, 0x0c], 12);
    assert.equal((await client.exchange(loop)).readUInt8(3) & 15, 1);
    const control = query('a\x07b.example', 'A');
    assert.equal((await client.exchange(control)).readUInt16BE(6), 1);
    await client.send([Buffer.alloc(0), Buffer.from('x'), Buffer.alloc(9000), Buffer.alloc(512, 0xff)]);
    assert.deepEqual(await client.addresses('some.example'), ['192.0.2.1']);
    assert.equal((await client.ask('own-garbage-box')).answers?.length, 1);
  });

  test('refuses more questions than one container may have waiting, and still knows the names', async (t) => {
    const [client, upstream] = await asking(t, 'own-flood', () => undefined);
    const flood = Array.from({ length: 600 }, (_, id) => query(`n${id}.example`, 'A', { id }));
    await client.send(flood, (reply) => (reply.readUInt8(3) & 15) === rcodes.refused);
    assert.equal((await client.ask('own-flood-box')).answers?.length, 1);
    // Each waits for six seconds, and is asked twice.
    assert.ok(upstream.asked.length <= 2 * 256, String(upstream.asked.length));
  });
});
