import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from '#lib';
import {
  createRecordingSys,
  ifnameBytes,
  type ListedChain,
  type ListedRule,
  type NftChange,
  type RecordingSys,
} from '#sys';
import { EngineError } from '#errors';
import { Firewall } from './firewall.ts';
import { droppingForwardChains, ownAcceptRules } from './foreign.ts';
import { isInterface, verdict } from './rules.ts';
import { describeTable, type FirewallPort } from './table.ts';

const network = {
  bridgeName: 'berth0',
  subnet: '172.17.0.0/24',
  masquerade: true,
  interContainer: true,
  internal: false,
};
const second = {
  bridgeName: 'br-x',
  subnet: '255.255.255.0/24',
  masquerade: true,
  interContainer: false,
  internal: false,
};
const forward = { hook: 'forward', policy: 'accept' } as const;
const ownChain: ListedChain = { family: 'inet', table: 'berth', name: 'forward', ...forward };
const dockerChain: ListedChain = { family: 'ip', table: 'filter', name: 'FORWARD', hook: 'forward', policy: 'drop' };
const foreignChain: ListedChain = { family: 'inet', table: 'fw', name: 'f', hook: 'forward', policy: 'drop' };

function acceptRule(key: 'iifname' | 'oifname', bridge: string, handle: bigint): ListedRule {
  return { handle, expressions: [...isInterface(key, bridge), { op: 'counter' }, ...verdict('accept')] };
}

function committed(sys: RecordingSys): NftChange[][] {
  return sys.calls.filter(({ call }) => call === 'nftSocket.commit').map(({ args }) => args[0] as NftChange[]);
}

test('describeTable lists bridges, pairs and subnets as each network wants', () => {
  const { sets } = describeTable('berth', [network, second]);
  const elements = (name: string): unknown => sets.find((set) => set.name === name)?.elements;
  assert.deepEqual(elements('bridges'), [{ key: ['berth0'] }, { key: ['br-x'] }]);
  assert.deepEqual(elements('linked'), [{ key: ['berth0', 'berth0'] }]);
  assert.deepEqual(elements('masqueraded'), [
    { key: ['172.17.0.0'] },
    { key: ['172.17.1.0'], intervalEnd: true },
    { key: ['255.255.255.0'] },
  ]);
});

test('droppingForwardChains finds what stops IPv4 packets on their way through', () => {
  const accepting: ListedChain = { ...dockerChain, policy: 'accept' };
  const six: ListedChain = { ...dockerChain, family: 'ip6' };
  const own: ListedChain = { ...ownChain, policy: 'drop' };
  assert.deepEqual(droppingForwardChains([accepting, six, own, dockerChain], 'berth'), [dockerChain]);
});

test('ownAcceptRules recognises our rules by bridge and direction', () => {
  const ours = acceptRule('iifname', 'berth0', 7n);
  const restored = ours.expressions.with(1, {
    op: 'cmp',
    register: 0,
    comparison: 'eq',
    data: ifnameBytes('berth0').subarray(0, 7),
  });
  const listing: ListedRule[] = [
    ours,
    { handle: 8n, expressions: restored },
    acceptRule('oifname', 'other', 9n),
    { handle: 10n, expressions: [...ours.expressions.slice(0, 3), ...verdict('drop')] },
    { handle: 11n, expressions: [undefined, ...ours.expressions] },
  ];
  assert.deepEqual(ownAcceptRules(listing, 'berth0'), [
    { direction: 'iifname', handle: 7n },
    { direction: 'iifname', handle: 8n },
  ]);
});

test('Firewall.ensure appends only the missing rule behind a dropping policy and reports chains it leaves alone', () => {
  const warnings: string[] = [];
  const sys = createRecordingSys({
    'nftSocket.listChains': [ownChain, dockerChain, foreignChain],
    'nftSocket.listRules': [acceptRule('iifname', 'berth0', 7n)],
  });
  const firewall = new Firewall(
    sys,
    createLogger('warn', (line) => void warnings.push(line)),
    'berth',
  );
  firewall.apply([network]);
  const [, appended = []] = committed(sys);
  assert.deepEqual(appended, [
    {
      change: 'addRule',
      family: 'ip',
      table: 'filter',
      chain: 'FORWARD',
      expressions: acceptRule('oifname', 'berth0', 0n).expressions,
    },
  ]);
  firewall.ensure();
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /chain="inet fw f"/);
});

test('Firewall.apply writes the table once and then only what its sets lack', () => {
  const sys = createRecordingSys({ 'nftSocket.listChains': [ownChain], 'nftSocket.listRules': [] });
  const firewall = new Firewall(sys, createLogger('error'), 'berth');
  firewall.apply([network]);
  firewall.apply([network, second]);
  firewall.apply([second]);
  const changes = committed(sys)
    .filter((all) => all.length > 0)
    .map((all) => all.map((change) => `${change.change}${'set' in change ? ` ${change.set.name}` : ''}`));
  assert.equal(changes[0]?.filter((change) => change === 'addRule').length, 20);
  assert.deepEqual(changes.slice(1), [
    ['addElements bridges', 'addElements masqueraded', 'addElements same'],
    ['removeElements bridges', 'removeElements linked', 'removeElements masqueraded', 'removeElements same'],
  ]);
});

test('Firewall writes ports with the table, and later on their elements alone', () => {
  const sys = createRecordingSys({ 'nftSocket.listChains': [ownChain], 'nftSocket.listRules': [] });
  const firewall = new Firewall(sys, createLogger('error'), 'berth');
  const port = (hostPort: number, hostAddress = '0.0.0.0'): FirewallPort => ({
    protocol: 'tcp',
    hostAddress,
    hostPort,
    containerAddress: '172.17.0.2',
    containerPort: 80,
  });
  firewall.addPorts([port(8080)]);
  assert.equal(committed(sys).length, 0);
  firewall.apply([network]);
  assert.partialDeepStrictEqual(
    committed(sys)[0]?.filter((change) => change.change === 'addElements' && change.set.name === 'published'),
    [{ elements: [{ key: [6, 8080], data: ['172.17.0.2', 80] }] }],
  );
  firewall.addPorts([port(53, '127.0.0.1')]);
  assert.partialDeepStrictEqual(committed(sys).at(-1), [
    { change: 'addElements', set: { name: 'published-at' }, elements: [{ key: ['127.0.0.1', 6, 53] }] },
  ]);
  sys.answer('nftSocket.commit', (changes: readonly NftChange[]) => {
    if (changes[0]?.change !== 'addTable') throw new EngineError('notFound', 'SYS_ENOENT', 'no such table');
  });
  firewall.removePorts([port(8080)]);
  assert.equal(committed(sys).at(-1)?.[0]?.change, 'addTable');
});

test('Firewall puts a flushed table back', () => {
  const sys = createRecordingSys({ 'nftSocket.listChains': [ownChain], 'nftSocket.listRules': [] });
  const firewall = new Firewall(sys, createLogger('error'), 'berth');
  firewall.apply([network]);
  firewall.ensure();
  assert.equal(committed(sys).length, 1);
  sys.answer('nftSocket.listChains', []);
  firewall.ensure();
  assert.deepEqual(committed(sys)[1], committed(sys)[0]);
  sys.answer('nftSocket.listChains', [ownChain]);
  sys.answer('nftSocket.commit', (changes: readonly NftChange[]) => {
    if (changes[0]?.change !== 'addTable') throw new EngineError('notFound', 'SYS_ENOENT', 'no such table');
  });
  firewall.apply([network, second]);
  const last = committed(sys).at(-1);
  assert.equal(last?.[0]?.change, 'addTable');
});
