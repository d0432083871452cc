import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from '#lib';
import { createRecordingSys, sysError } from '#sys';
import type { PortRequest } from '../contract.ts';
import { planPorts } from './plan.ts';
import { PortBook } from './port-book.ts';
import { Ports } from './ports.ts';

const defaults = { hostBinding: '0.0.0.0', ipv6: true };
const target = { address: '172.17.0.2', bridgeName: 'berth0' };
const EADDRINUSE = 98;

function request(more: Partial<PortRequest> = {}): PortRequest {
  return { protocol: 'tcp', containerPort: 80, hostAddress: '', hostPorts: undefined, ...more };
}

function one(port: number): PortRequest['hostPorts'] {
  return { first: port, last: port };
}

test('planPorts gives a port without an address one number for both families', () => {
  const addresses = (more: Partial<PortRequest>, changed = {}): unknown =>
    planPorts([request(more)], { ...defaults, ...changed }).map(({ hostAddresses }) => hostAddresses);
  assert.deepEqual(addresses({}), [['0.0.0.0', '::']]);
  assert.deepEqual(addresses({}, { ipv6: false }), [['0.0.0.0']]);
  assert.deepEqual(addresses({}, { hostBinding: '127.0.0.1' }), [['127.0.0.1']]);
  assert.deepEqual(addresses({ hostAddress: '::1' }), [['::1']]);
  assert.deepEqual(addresses({ protocol: 'sctp' }), [['0.0.0.0']]);
});

test('planPorts chooses last where there is most to choose from', () => {
  const requests = [request(), request({ hostPorts: { first: 8000, last: 8010 } }), request({ hostPorts: one(8000) })];
  assert.deepEqual(
    planPorts(requests, defaults).map(({ hostPorts }) => hostPorts),
    [one(8000), { first: 8000, last: 8010 }, undefined],
  );
  assert.equal(planPorts([request(), request()], defaults).length, 2);
});

test('PortBook keeps addresses of one port apart and goes round the ephemeral ports', () => {
  const book = new PortBook({ first: 100, last: 102 });
  const take = (hostPorts: PortRequest['hostPorts'], ...hostAddresses: string[]): number =>
    book.take({ protocol: 'tcp', containerPort: 80, hostAddresses, hostPorts }, () => undefined).hostPort;
  assert.equal(take(one(80), '127.0.0.1'), 80);
  assert.equal(take(one(80), '127.0.0.2', '::'), 80);
  assert.throws(() => take(one(80), '0.0.0.0'), { message: 'Bind for 0.0.0.0:80 failed: port is already allocated' });
  assert.throws(() => take(one(80), '::1'), { code: 'PORT_ALLOCATED' });
  assert.equal(take({ first: 80, last: 81 }, '0.0.0.0'), 81);
  assert.throws(() => take({ first: 80, last: 81 }, '0.0.0.0'), { message: 'all ports are allocated' });
  assert.equal(take(undefined, '0.0.0.0'), 100);
  book.release('tcp', '0.0.0.0', 100);
  assert.equal(take(undefined, '0.0.0.0'), 101);
  assert.equal(take(undefined, '0.0.0.0'), 102);
  assert.equal(take(undefined, '0.0.0.0'), 100);
  assert.throws(() => take(undefined, '0.0.0.0'), { code: 'PORTS_ALLOCATED' });
});

test('PortBook passes over ports that others hold', () => {
  const book = new PortBook({ first: 100, last: 102 });
  const busy = (port: number): void => {
    if (port < 102) throw new Error(`${port} is busy`);
  };
  const group = { protocol: 'tcp', containerPort: 80, hostAddresses: ['0.0.0.0'] } as const;
  assert.equal(book.take({ ...group, hostPorts: undefined }, busy).hostPort, 102);
  assert.throws(() => book.take({ ...group, hostPorts: one(101) }, busy), /101 is busy/);
});

test('Ports lets go of everything when one port cannot be had', () => {
  const fds = [7, 8];
  const sys = createRecordingSys({
    'sockets.holdPort': () => {
      const fd = fds.shift();
      if (fd === undefined) throw sysError(EADDRINUSE, 'bind');
      return fd;
    },
  });
  const logger = createLogger('error');
  const ports = new Ports({ sys, logger, firewall: undefined, ephemeral: { first: 100, last: 100 } });
  const requests = [request({ hostAddress: '127.0.0.1', hostPorts: one(80) }), request({ hostPorts: one(81) })];
  assert.throws(() => ports.publish('c', target, requests, defaults), {
    message: 'failed to bind host port for [::]:81:172.17.0.2:80/tcp: address already in use',
  });
  assert.deepEqual(
    sys.lines().filter((line) => line.startsWith('files.closeFd')),
    ['files.closeFd 8', 'files.closeFd 7'],
  );
  assert.deepEqual(ports.published('c'), []);
});
