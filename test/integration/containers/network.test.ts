import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { networkInterfaces } from 'node:os';
import { describe, test } from 'node:test';
import { refuses, useEngine } from '../../helpers/engine.ts';

const engine = useEngine();
/** Debian's static busybox cannot resolve names and its wget crashes trying, so HTTP is spoken by hand. */
const get = 'printf "GET / HTTP/1.0\\r\\n\\r\\n" | timeout 5 nc';

describe('network modes', { concurrency: 4 }, () => {
  test('bridge: an address, a gateway, and others within reach', async (t) => {
    const first = await engine.runIdle(t);
    const { NetworkSettings } = await engine.inspect(first);
    const endpoint = NetworkSettings.Networks['bridge'];
    assert.ok(endpoint);
    assert.equal(NetworkSettings.IPAddress, endpoint.IPAddress);
    assert.equal(NetworkSettings.Gateway, endpoint.Gateway);
    assert.equal(NetworkSettings.MacAddress, endpoint.MacAddress);
    assert.match(endpoint.MacAddress, /^02:42:|^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/);
    assert.deepEqual(NetworkSettings.Ports, {});
    const inside = await engine.exec(first, 'ip -4 addr show eth0 | grep inet; ip route');
    assert.ok(inside.stdout.includes(`inet ${endpoint.IPAddress}/${endpoint.IPPrefixLen} `), inside.stdout);
    assert.match(inside.stdout, new RegExp(`^default via ${endpoint.Gateway} dev eth0 *$`, 'm'));
    const second = await engine.output(t, `ping -c 1 -W 5 ${endpoint.IPAddress} >/dev/null && echo reached`);
    assert.equal(second.stdout, 'reached\n');
    assert.match(NetworkSettings.SandboxKey, /\S/);
  });

  test('bridge: the host is reached at the gateway', async (t) => {
    const server = createServer((_request, response) => response.end('hello from the host'));
    await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
    t.after(() => server.close());
    const address = server.address();
    assert.ok(typeof address === 'object' && address);
    const { stdout } = await engine.output(
      t,
      `${get} $(ip route | grep default | cut -d " " -f 3) ${address.port} | tail -n 1`,
    );
    assert.equal(stdout, 'hello from the host');
  });

  test('bridge: what leaves goes out under an address of the host', async (t) => {
    const outer = Object.entries(networkInterfaces())
      .flatMap(([name, list]) => (/^(lo|docker|br|veth)/.test(name) ? [] : (list ?? [])))
      .find(({ family, internal }) => family === 'IPv4' && !internal);
    if (!outer) return t.skip('this machine has no outer address');
    const server = createServer((request, response) => response.end(request.socket.remoteAddress));
    await new Promise<void>((resolve) => server.listen(0, outer.address, resolve));
    t.after(() => server.close());
    const address = server.address();
    assert.ok(typeof address === 'object' && address);
    const id = await engine.run(t, `${get} ${outer.address} ${address.port} | tail -n 1`);
    assert.equal(await engine.wait(id), 0);
    assert.match((await engine.logs(id)).stdout, /^\d+\.\d+\.\d+\.\d+$/);
  });

  test('none: loopback alone', async (t) => {
    const id = await engine.run(t, 'ip -o link | wc -l; ip -4 -o addr | grep -c 127.0.0.1', {
      HostConfig: { NetworkMode: 'none' },
    });
    await engine.wait(id);
    assert.equal((await engine.logs(id)).stdout, '1\n1\n');
    const { NetworkSettings } = await engine.inspect(id);
    assert.deepEqual(Object.keys(NetworkSettings.Networks), ['none']);
    assert.equal(NetworkSettings.IPAddress, '');
  });

  test("host: the machine's own links and name", async (t) => {
    // Links come and go with other containers: those that are there before and after must be seen.
    const before = Object.keys(networkInterfaces());
    const id = await engine.run(t, 'ls /sys/class/net; hostname', { HostConfig: { NetworkMode: 'host' } });
    await engine.wait(id);
    const after = networkInterfaces();
    const { stdout } = await engine.logs(id);
    for (const name of before.filter((name) => name in after)) assert.ok(stdout.split('\n').includes(name), name);
    assert.deepEqual(Object.keys((await engine.inspect(id)).NetworkSettings.Networks), ['host']);
  });

  test('container: shares the links of another', async (t) => {
    const owner = await engine.runIdle(t, {}, 'network-owner');
    const address = (await engine.inspect(owner)).NetworkSettings.IPAddress;
    const id = await engine.run(t, 'ip -4 -o addr show eth0; hostname', {
      HostConfig: { NetworkMode: 'container:network-owner' },
    });
    await engine.wait(id);
    const { stdout } = await engine.logs(id);
    assert.ok(stdout.includes(address), stdout);
    const { HostConfig, NetworkSettings } = await engine.inspect(id);
    assert.equal(HostConfig.NetworkMode, `container:${owner}`);
    assert.deepEqual(NetworkSettings.Networks, {});
  });

  test('container: refuses one that does not run, and options of the network', async (t) => {
    const stopped = await engine.create(t);
    const id = await engine.create(t, { HostConfig: { NetworkMode: `container:${stopped}` } });
    await refuses(
      engine.start(id),
      [409, 500],
      new RegExp(`cannot join network (namespace )?of a non running container: ${stopped}`, 'i'),
    );
    await refuses(
      engine.create(t, { Hostname: 'x', HostConfig: { NetworkMode: `container:${stopped}` } }),
      400,
      /conflicting options: hostname and the network mode/,
    );
  });

  test('an address is used again after removal', async (t) => {
    const id = await engine.runIdle(t);
    const { IPAddress } = (await engine.inspect(id)).NetworkSettings;
    await engine.client.post(`/containers/${id}/stop`);
    assert.equal((await engine.inspect(id)).NetworkSettings.IPAddress, '');
    await engine.start(id);
    assert.match((await engine.inspect(id)).NetworkSettings.IPAddress, /^\d/);
    assert.match(IPAddress, /^\d/);
  });

  test('many at once have addresses of their own', async (t) => {
    const ids = await Promise.all(Array.from({ length: 12 }, async () => await engine.runIdle(t)));
    const addresses = await Promise.all(ids.map(async (id) => (await engine.inspect(id)).NetworkSettings.IPAddress));
    assert.equal(new Set(addresses).size, 12);
  });

  test('an unknown network is refused', async (t) => {
    await refuses(
      engine.create(t, { HostConfig: { NetworkMode: 'no-such-network' } }).then(async (id) => await engine.start(id)),
      404,
      /network no-such-network not found/,
    );
  });
});
