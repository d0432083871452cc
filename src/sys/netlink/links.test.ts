import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeAddress, encodeAddress } from './addresses.ts';
import { decodeLink, encodeLinkChange, encodeVeth } from './links.ts';
import { decodeRoute, encodeRoute } from './routes.ts';

test('a link change reads back as a link', () => {
  const link = decodeLink(
    encodeLinkChange(9, {
      name: 'berth0',
      up: true,
      mtu: 1400,
      masterIndex: 3,
      macAddress: '02:42:00:00:00:01',
      alias: 'x',
    }),
  );
  assert.deepEqual(link, {
    index: 9,
    name: 'berth0',
    kind: undefined,
    macAddress: '02:42:00:00:00:01',
    mtu: 1400,
    up: true,
    operState: 'unknown',
    masterIndex: 3,
    alias: 'x',
    stats: undefined,
  });
});

test('a veth pair is of kind veth and names both ends', () => {
  const body = encodeVeth({ name: 'near', peer: { name: 'far', netnsFd: 5 } });
  assert.equal(decodeLink(body).kind, 'veth');
  assert.ok(body.includes('near\0'));
  assert.ok(body.includes('far\0'));
});

test('addresses and routes read back as they were written', () => {
  const address = { linkIndex: 4, address: '10.1.2.3', prefixLength: 24, broadcast: '10.1.2.255' };
  assert.deepEqual(decodeAddress(encodeAddress(address)), { ...address, label: undefined });
  const viaGateway = decodeRoute(encodeRoute({ gateway: '10.1.2.1', linkIndex: 4 }));
  assert.equal(viaGateway.destination, undefined);
  assert.equal(viaGateway.gateway, '10.1.2.1');
  assert.equal(viaGateway.table, 254);
  const six = decodeRoute(encodeRoute({ destination: { address: 'fd00::', prefixLength: 64 }, linkIndex: 4 }));
  assert.equal(six.family, 6);
  assert.deepEqual(six.destination, { address: 'fd00::', prefixLength: 64 });
});
