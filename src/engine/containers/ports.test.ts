import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyContainerConfig, emptyHostConfig, type HostConfig, type PortMap } from '#spec';
import { checkPorts, exposedPorts, portRequests, toPortList, toPortMap } from './ports.ts';
import { someContainer } from './testing.ts';

function settings(exposed: readonly string[], own: Partial<HostConfig> = {}): Parameters<typeof portRequests>[0] {
  const ExposedPorts = Object.fromEntries(exposed.map((port) => [port, {}]));
  return { config: emptyContainerConfig({ ExposedPorts }), hostConfig: emptyHostConfig(own) };
}

const binding = (HostPort: string, HostIp = ''): { HostIp: string; HostPort: string } => ({ HostIp, HostPort });

test('portRequests reads bindings, with ranges and without ports', () => {
  const PortBindings = { '80/tcp': [binding('8080'), binding('8000-8010', '127.0.0.1')], '53/udp': [binding('')] };
  const common = { protocol: 'tcp', containerPort: 80 };
  assert.deepEqual(portRequests(settings(['80/tcp', '53/udp', '9000/tcp'], { PortBindings })), [
    { ...common, hostAddress: '', hostPorts: { first: 8080, last: 8080 } },
    { ...common, hostAddress: '127.0.0.1', hostPorts: { first: 8000, last: 8010 } },
    { protocol: 'udp', containerPort: 53, hostAddress: '', hostPorts: undefined },
  ]);
});

test('publishing all ports adds those that are exposed and bound to nothing', () => {
  const own = { PublishAllPorts: true, PortBindings: { '80/tcp': [binding('8080')] } };
  const requests = portRequests(settings(['80', '443/tcp', '7000-7001/udp'], own));
  assert.deepEqual(
    requests.map(({ protocol, containerPort, hostPorts }) => [protocol, containerPort, hostPorts?.first]),
    [
      ['tcp', 80, 8080],
      ['tcp', 443, undefined],
      ['udp', 7000, undefined],
      ['udp', 7001, undefined],
    ],
  );
  assert.deepEqual(exposedPorts(settings(['9-8/tcp', 'x'])), []);
});

test('checkPorts refuses what is no port', () => {
  const check = (PortBindings: PortMap) => (): void => checkPorts({ PortBindings });
  assert.doesNotThrow(check({ '80/tcp': null, '81': [binding('0'), binding('1-2', '::1')] }));
  assert.throws(check({ '0/tcp': [] }), { message: 'invalid port specification: "0/tcp"' });
  assert.throws(check({ '80/icmp': [] }), { message: 'invalid port specification: "80/icmp"' });
  assert.throws(check({ '80/tcp': [binding('65536')] }), { message: 'invalid port specification: "65536"' });
  assert.throws(check({ '80/tcp': [binding('9-8')] }), { message: 'invalid port specification: "9-8"' });
  assert.throws(check({ '80/tcp': [binding('1', 'here')] }), { message: 'invalid IP address: here' });
});

test('a running container shows what is published and what is only exposed', () => {
  const endpoint = {
    networkId: 'n',
    networkName: 'bridge',
    endpointId: 'e',
    address: '172.17.0.2',
    prefixLength: 24,
    gateway: '172.17.0.1',
    macAddress: '',
    interfaceName: 'eth0',
    names: [],
    gatewayPriority: 0,
    ports: [{ protocol: 'tcp' as const, containerPort: 80, hostAddress: '::', hostPort: 8080 }],
  };
  const record = someContainer('a', {
    ...settings(['80/tcp', '53/udp']),
    sandbox: { containerId: 'a', netnsPath: '/n', endpoints: [endpoint] },
  });
  assert.deepEqual(toPortMap(record), { '80/tcp': [binding('8080', '::')], '53/udp': null });
  assert.deepEqual(toPortList(record), [
    { IP: '::', PrivatePort: 80, PublicPort: 8080, Type: 'tcp' },
    { PrivatePort: 53, Type: 'udp' },
  ]);
  assert.deepEqual(toPortMap({ ...record, sandbox: undefined }), {});
});
