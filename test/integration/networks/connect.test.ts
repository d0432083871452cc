import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  emptyEndpointSettings,
  type EndpointSettings,
  type NetworkConnectRequest,
  type NetworkCreateRequest,
} from '#spec';
import { refuses, useEngine } from '../../helpers/engine.ts';

const engine = useEngine();

async function connect(network: string, container: string, settings?: Partial<EndpointSettings>): Promise<void> {
  const json: NetworkConnectRequest = {
    Container: container,
    EndpointConfig: settings === undefined ? null : emptyEndpointSettings(settings),
  };
  await engine.client.post(`/networks/${network}/connect`, {}, { json });
}

async function disconnect(network: string, container: string, force = false): Promise<void> {
  await engine.client.post(`/networks/${network}/disconnect`, {}, { json: { Container: container, Force: force } });
}

async function endpoint(id: string, network: string): Promise<EndpointSettings> {
  const found = (await engine.inspect(id)).NetworkSettings.Networks[network];
  assert.ok(found, `an endpoint on ${network}`);
  return found;
}

async function addressOf(id: string, network: string): Promise<string> {
  return (await endpoint(id, network)).IPAddress;
}

async function reaches(id: string, address: string, waitSeconds = 5): Promise<boolean> {
  const { exitCode } = await engine.exec(id, `ping -c 1 -W ${waitSeconds} ${address}`);
  return exitCode === 0;
}

const on = (NetworkMode: string): { HostConfig: { NetworkMode: string } } => ({ HostConfig: { NetworkMode } });
function ipam(Subnet: string): Pick<NetworkCreateRequest, 'IPAM'> {
  return { IPAM: { Driver: '', Options: null, Config: [{ Subnet }] } };
}

describe('containers on networks', { concurrency: 3 }, () => {
  test('those of one network reach each other, those of another do not', async (t) => {
    await engine.createNetwork(t, 'left');
    await engine.createNetwork(t, 'right');
    const [one, two, other, standard] = await Promise.all([
      engine.runIdle(t, on('left')),
      engine.runIdle(t, on('left')),
      engine.runIdle(t, on('right')),
      engine.runIdle(t),
    ]);
    const address = await addressOf(one, 'left');
    assert.ok(await reaches(two, address));
    assert.ok(!(await reaches(other, address, 1)));
    assert.ok(!(await reaches(standard, address, 1)));
    const { NetworkSettings } = await engine.inspect(one);
    assert.equal(NetworkSettings.IPAddress, '');
    assert.deepEqual(Object.keys(NetworkSettings.Networks), ['left']);
  });

  test('an internal network leads nowhere', async (t) => {
    await engine.createNetwork(t, 'inner', { Internal: true });
    await engine.createNetwork(t, 'outer');
    const [one, two, out] = await Promise.all([
      engine.runIdle(t, on('inner')),
      engine.runIdle(t, on('inner')),
      engine.runIdle(t, on('outer')),
    ]);
    assert.ok(await reaches(two, await addressOf(one, 'inner')));
    const { stdout } = await engine.exec(one, 'ip route');
    assert.doesNotMatch(stdout, /default/);
    assert.equal((await endpoint(one, 'inner')).Gateway, '');
    const target = await addressOf(out, 'outer');
    assert.ok(!(await reaches(one, target, 1)));
    // Not even with a route of its own making.
    const gateway = (await engine.client.get<{ IPAM: { Config: { Gateway: string }[] } }>('/networks/inner')).IPAM;
    await engine.exec(one, `ip route add default via ${gateway.Config[0]?.Gateway ?? ''}`, { Privileged: true });
    assert.match((await engine.exec(one, 'ip route')).stdout, /default/);
    assert.ok(!(await reaches(one, target, 1)));
  });

  test('connecting and disconnecting a running container', async (t) => {
    const events = await engine.events(t, { event: ['connect', 'disconnect'] });
    const first = await engine.createNetwork(t, 'x-first');
    const second = await engine.createNetwork(t, 'x-second', ipam('10.208.1.0/24'));
    const id = await engine.runIdle(t, on('x-first'), 'traveller');
    await connect('x-second', 'traveller', {
      IPAMConfig: { IPv4Address: '10.208.1.77' },
      Aliases: ['guest'],
      MacAddress: '02:42:00:00:77:77',
    });
    const there = await endpoint(id, 'x-second');
    assert.partialDeepStrictEqual(there, {
      IPAddress: '10.208.1.77',
      IPPrefixLen: 24,
      Gateway: '10.208.1.1',
      NetworkID: second,
      MacAddress: '02:42:00:00:77:77',
      Aliases: ['guest'],
      DNSNames: ['traveller', 'guest', id.slice(0, 12)],
    });
    const inside = await engine.exec(id, 'ip -4 -o addr show eth1; ip route; cat /etc/hosts');
    assert.match(inside.stdout, /inet 10\.208\.1\.77\/24/);
    assert.match(inside.stdout, /^default via \S+ dev eth0/m);
    assert.match(inside.stdout, new RegExp(`^10\\.208\\.1\\.77\t${id.slice(0, 12)}$`, 'm'));
    const neighbour = await engine.runIdle(t, on('x-second'));
    assert.ok(await reaches(neighbour, '10.208.1.77'));
    await refuses(connect('x-second', id), 403, /^endpoint with name traveller already exists in network x-second$/);
    await disconnect('x-first', id);
    const after = await engine.exec(id, 'ip link show eth0; ip route; cat /etc/hosts');
    assert.match(after.stdout, /^default via 10\.208\.1\.1 dev eth1/m);
    assert.doesNotMatch(after.stdout, /eth0/);
    assert.equal(after.stdout.split(id.slice(0, 12)).length, 2);
    assert.deepEqual(Object.keys((await engine.inspect(id)).NetworkSettings.Networks), ['x-second']);
    await refuses(disconnect('x-first', id), 500, new RegExp(`^container ${id} is not connected to network x-first$`));
    await connect('x-first', id);
    assert.match((await engine.exec(id, 'ip -4 -o addr show eth0')).stdout, /inet /);
    await engine.client.delete(`/containers/${id}`, { force: true });
    const ownEvents = (): string[][] =>
      events.seen
        .filter(({ Actor }) => Actor.Attributes['container'] === id)
        .map(({ Action, Actor }) => [Action, Actor.ID]);
    await events.next(() => ownEvents().length >= 6, 'six events');
    assert.deepEqual(ownEvents().slice(0, 4), [
      ['connect', first],
      ['connect', second],
      ['disconnect', first],
      ['connect', first],
    ]);
  });

  test('a stopped container is on its networks from its next start on', async (t) => {
    await engine.createNetwork(t, 'y-one', ipam('10.208.3.0/24'));
    await engine.createNetwork(t, 'y-two', ipam('10.208.4.0/24'));
    const id = await engine.create(t, {
      Cmd: ['sleep', '3600'],
      ...on('y-one'),
      NetworkingConfig: {
        EndpointsConfig: {
          'y-one': emptyEndpointSettings({ IPAMConfig: { IPv4Address: '10.208.3.9' } }),
          'y-two': emptyEndpointSettings({ GwPriority: 1 }),
        },
      },
    });
    await engine.start(id);
    const { stdout } = await engine.exec(id, 'ip -4 -o addr; ip route');
    assert.match(stdout, /eth0 +inet 10\.208\.3\.9\/24/);
    assert.match(stdout, /eth1 +inet 10\.208\.4\.\d+\/24/);
    assert.match(stdout, /^default via 10\.208\.4\.1 dev eth1/m);
    await engine.client.post(`/containers/${id}/kill`);
    await engine.wait(id);
    await disconnect('y-two', id);
    await connect('bridge', id);
    await connect('bridge', id);
    await engine.start(id);
    const networks = (await engine.inspect(id)).NetworkSettings.Networks;
    assert.deepEqual(Object.keys(networks).toSorted(), ['bridge', 'y-one']);
    assert.equal(networks['y-one']?.IPAddress, '10.208.3.9');
    await disconnect('y-one', id);
    await disconnect('bridge', id);
    assert.equal((await engine.exec(id, 'ip -4 -o addr show scope global')).stdout, '');
    assert.deepEqual((await engine.inspect(id)).NetworkSettings.Networks, {});
  });

  test('driver options name the interface and set it up', async (t) => {
    await engine.createNetwork(t, 'named', ipam('10.208.6.0/24'));
    await engine.createNetwork(t, 'other', ipam('10.208.7.0/24'));
    const options = (ifname: string, sysctl = 'net.ipv4.conf.IFNAME.log_martians=1'): Partial<EndpointSettings> => ({
      DriverOpts: { 'com.docker.network.endpoint.ifname': ifname, 'com.docker.network.endpoint.sysctls': sysctl },
    });
    const id = await engine.runIdle(t, {
      ...on('named'),
      NetworkingConfig: { EndpointsConfig: { named: emptyEndpointSettings(options('lan0')) } },
    });
    const { stdout } = await engine.exec(id, 'ip -4 -o addr show lan0; cat /proc/sys/net/ipv4/conf/lan0/log_martians');
    assert.match(stdout, /inet 10\.208\.6\.2\/24[^]*\n1\n$/);
    await refuses(connect('other', id, options('lan0')), 400, /interface name lan0 is already in use/);
    await refuses(connect('other', id, options('a/b')), 400, /invalid interface name "a\/b"/);
    await refuses(
      connect('other', id, options('wan0', 'net.ipv4.ip_forward=1')),
      400,
      /unrecognised network interface/,
    );
    await refuses(connect('other', id, options('wan0', 'net.ipv4.conf.IFNAME.odd=1')), 400, /cannot set sysctl/);
    assert.deepEqual((await engine.exec(id, 'ls /sys/class/net')).stdout.split('\n').toSorted(), ['', 'lan0', 'lo']);
    await connect('other', id);
    assert.match((await engine.exec(id, 'ip -4 -o addr show eth0')).stdout, /inet 10\.208\.7\./);
  });

  test('what cannot be combined is refused', async (t) => {
    await engine.createNetwork(t, 'z', ipam('10.208.5.0/24'));
    const id = await engine.runIdle(t, on('z'));
    const alone = await engine.runIdle(t, on('none'));
    const hosted = await engine.runIdle(t, on('host'));
    await refuses(connect('host', id), 400, /cannot connect container to host network/);
    await refuses(connect('none', id), 400, /one of the networks in private \(none\) mode/);
    await refuses(connect('z', alone), 400, /one of the networks in private \(none\) mode/);
    await refuses(connect('z', hosted), 400, /sharing network namespace with another container or host/);
    await refuses(disconnect('host', hosted), 400, /container was created in host network mode/);
    await refuses(connect('absent', id), 404, /network absent not found/);
    await refuses(connect('z', 'absent'), 404, /No such container: absent/);
    await refuses(
      engine
        .create(t, {
          ...on('z'),
          NetworkingConfig: {
            EndpointsConfig: {
              z: emptyEndpointSettings({ IPAMConfig: { IPv4Address: await addressOf(id, 'z') } }),
            },
          },
        })
        .then(async (other) => await engine.start(other)),
      403,
      /Address already in use/,
    );
    const standard = await engine.runIdle(t);
    await refuses(
      connect('z', standard, { IPAMConfig: { IPv4Address: '10.209.0.1' } }),
      400,
      /no configured subnet contains IP address 10\.209\.0\.1/,
    );
    assert.deepEqual(Object.keys((await engine.inspect(standard)).NetworkSettings.Networks), ['bridge']);
  });
});
