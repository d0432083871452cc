import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AddressPool } from './address-pool.ts';
import { contains, formatIpv4, formatSubnet, overlaps, parseCidr, parseIpv4 } from './ipv4.ts';
import { chooseSubnet, defaultPools } from './pools.ts';
import { isClaimedByElder, nameserversOf, takenSubnets } from './taken.ts';

function subnets(...texts: string[]): ReturnType<typeof parseCidr>['subnet'][] {
  return texts.map((text) => parseCidr(text).subnet);
}

test('parseIpv4 and formatIpv4 undo each other over the whole range', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (address) => {
      assert.equal(parseIpv4(formatIpv4(address)), address);
    }),
  );
});

test('parseCidr gives address and block and refuses nonsense', () => {
  const { address, subnet } = parseCidr('172.30.1.5/24');
  assert.equal(formatIpv4(address), '172.30.1.5');
  assert.equal(formatSubnet(subnet), '172.30.1.0/24');
  assert.equal(contains(subnet, parseIpv4('172.30.1.255')), true);
  assert.equal(contains(subnet, parseIpv4('172.30.2.0')), false);
  for (const text of ['1.2.3.4', '1.2.3/8', '1.2.3.4/33', '1.2.3.4/', 'x/8']) {
    assert.throws(() => parseCidr(text), { kind: 'invalidArgument' });
  }
});

test('overlaps is symmetric and sees containment', () => {
  const [a, b, c] = subnets('10.0.0.0/8', '10.200.0.0/24', '11.0.0.0/8');
  assert.ok(a && b && c);
  assert.equal(overlaps(a, b) && overlaps(b, a), true);
  assert.equal(overlaps(a, c) || overlaps(c, a), false);
});

test('chooseSubnet skips what the host uses, with whole pools', () => {
  assert.equal(formatSubnet(chooseSubnet(defaultPools, [])), '172.17.0.0/24');
  assert.equal(formatSubnet(chooseSubnet(defaultPools, subnets('172.17.0.0/24'))), '172.17.1.0/24');
  assert.equal(formatSubnet(chooseSubnet(defaultPools, subnets('172.17.0.0/16'))), '172.18.0.0/24');
  assert.equal(formatSubnet(chooseSubnet(defaultPools, subnets('172.16.0.0/12'))), '192.168.0.0/24');
  assert.equal(formatSubnet(chooseSubnet(defaultPools, subnets('172.16.0.0/12', '192.168.0.53/32'))), '192.168.1.0/24');
  assert.throws(() => chooseSubnet(defaultPools, subnets('128.0.0.0/1')), { kind: 'invalidArgument' });
});

test('AddressPool gives the lowest free address, the preferred one if free, and runs out', () => {
  const pool = new AddressPool(parseCidr('10.0.0.0/29').subnet, [parseIpv4('10.0.0.1')]);
  const take = (owner: string, preferred?: string): string | undefined => {
    const address = pool.take(owner, preferred === undefined ? undefined : parseIpv4(preferred));
    return address === undefined ? undefined : formatIpv4(address);
  };
  assert.equal(take('a'), '10.0.0.2');
  assert.equal(take('b', '10.0.0.5'), '10.0.0.5');
  assert.equal(take('c', '10.0.0.5'), '10.0.0.3');
  assert.equal(take('d', '10.0.0.7'), '10.0.0.4');
  assert.equal(take('e', '10.0.1.1'), '10.0.0.6');
  assert.equal(take('f'), undefined);
  pool.release('x', parseIpv4('10.0.0.3'));
  assert.equal(take('f'), undefined);
  pool.release('c', parseIpv4('10.0.0.3'));
  assert.equal(take('f'), '10.0.0.3');
  assert.equal(pool.adopt('g', parseIpv4('10.0.0.3')), false);
  assert.equal(pool.adopt('f', parseIpv4('10.0.0.3')), true);
  assert.equal(pool.adopt('g', parseIpv4('10.0.1.3')), false);
});

test('takenSubnets counts routes, addresses and nameservers, but not our own link', () => {
  const route = { family: 4 as const, gateway: undefined, table: 254, metric: undefined, preferredSource: undefined };
  const destination = { address: '10.0.0.0', prefixLength: 8 };
  const taken = takenSubnets(
    [
      { ...route, destination, linkIndex: 2, unicast: true },
      { ...route, destination: { address: '172.17.0.0', prefixLength: 24 }, linkIndex: 9, unicast: true },
      { ...route, destination: undefined, linkIndex: 2, unicast: true },
      { ...route, destination, linkIndex: 2, unicast: false },
    ],
    [
      { linkIndex: 2, address: '192.0.2.5', prefixLength: 24 },
      { linkIndex: 2, address: 'fe80::1', prefixLength: 64 },
      { linkIndex: 9, address: '172.17.0.1', prefixLength: 24 },
    ],
    ['192.168.0.53'],
    9,
  );
  assert.deepEqual(taken.map(formatSubnet), ['10.0.0.0/8', '192.0.2.0/24', '192.168.0.53/32']);
  assert.deepEqual(nameserversOf('# x\nnameserver 1.1.1.1\n nameserver ::1\nnameserver 8.8.8.8 # y\n'), [
    '1.1.1.1',
    '8.8.8.8',
  ]);
});

test('isClaimedByElder lets the link with the lower index keep a network that two have chosen', () => {
  const { subnet } = parseCidr('172.17.0.0/24');
  const own = { linkIndex: 5, address: '172.17.0.1', prefixLength: 24 };
  assert.equal(isClaimedByElder([own, { ...own, linkIndex: 6 }], subnet, 5), false);
  assert.equal(isClaimedByElder([own, { ...own, linkIndex: 6 }], subnet, 6), true);
  assert.equal(isClaimedByElder([{ ...own, address: '172.18.0.1' }], subnet, 6), false);
});
