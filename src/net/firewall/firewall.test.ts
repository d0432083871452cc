import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from '#lib';
import { createRecordingSys } from '#sys';
import { Firewall } from './firewall.ts';
import { droppingForwardChains, ownAcceptRules } from './foreign.ts';
import { renderRuleset } from './ruleset.ts';

const network = { bridgeName: 'berth0', subnet: '172.17.0.0/24', masquerade: true, interContainer: true };
const forward = { type: 'filter', hook: 'forward', prio: 0 };
const ownChain = { chain: { family: 'inet', table: 'berth', name: 'forward', ...forward, policy: 'accept' } };
const dockerChain = { chain: { family: 'ip', table: 'filter', name: 'FORWARD', ...forward, policy: 'drop' } };
const foreignChain = { chain: { family: 'inet', table: 'fw', name: 'f', ...forward, policy: 'drop' } };

function acceptRule(key: string, bridge: string, handle: number): Record<string, Record<string, unknown>> {
  const match = { match: { op: '==', left: { meta: { key } }, right: bridge } };
  return { rule: { handle, expr: [match, { counter: {} }, { accept: null }] } };
}

test('renderRuleset lists bridges, pairs and subnets as each network wants', () => {
  const text = renderRuleset('berth', [
    network,
    { bridgeName: 'br-x', subnet: '10.0.0.0/24', masquerade: false, interContainer: false },
  ]);
  assert.match(text, /set bridges \{ type ifname; elements = \{ "berth0", "br-x" \}/);
  assert.match(text, /set linked \{ type ifname \. ifname; elements = \{ "berth0" \. "berth0" \}/);
  assert.match(text, /flags interval; elements = \{ 172\.17\.0\.0\/24 \}/);
  assert.match(renderRuleset('berth', []), /set bridges \{ type ifname;\n/);
});

test('droppingForwardChains finds what stops IPv4 packets on their way through', () => {
  const accepting = { chain: { ...dockerChain.chain, policy: 'accept' } };
  const six = { chain: { ...dockerChain.chain, family: 'ip6' } };
  const own = { chain: { ...ownChain.chain, policy: 'drop' } };
  assert.deepEqual(droppingForwardChains([{ metainfo: {} }, accepting, six, own, dockerChain], 'berth'), [
    { family: 'ip', table: 'filter', name: 'FORWARD' },
  ]);
});

test('ownAcceptRules recognises our rules by bridge and direction', () => {
  const listing = [
    acceptRule('iifname', 'berth0', 7),
    acceptRule('oifname', 'other', 8),
    {
      rule: {
        handle: 9,
        expr: [{ match: { op: '==', left: { meta: { key: 'oifname' } }, right: 'berth0' } }, { drop: null }],
      },
    },
  ];
  assert.deepEqual(ownAcceptRules(listing, 'berth0'), [{ direction: 'iifname', handle: 7 }]);
});

test('Firewall.ensure appends only the missing rule behind a dropping policy and reports chains it leaves alone', () => {
  const warnings: string[] = [];
  const sys = createRecordingSys({
    'nft.query': (command: string) =>
      command === 'list chains' ? [ownChain, dockerChain, foreignChain] : [acceptRule('iifname', 'berth0', 7)],
  });
  const firewall = new Firewall(
    sys,
    createLogger('warn', (line) => void warnings.push(line)),
    'berth',
  );
  firewall.apply([network]);
  firewall.ensure();
  const runs = sys.calls.filter(({ call }) => call === 'nft.run').map(({ args }) => args[0]);
  assert.deepEqual(runs.slice(1), [
    'add rule ip filter FORWARD oifname "berth0" counter accept',
    'add rule ip filter FORWARD oifname "berth0" counter accept',
  ]);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /chain="inet fw f"/);
});

test('Firewall.ensure puts a flushed table back', () => {
  const sys = createRecordingSys({ 'nft.query': [ownChain] });
  const firewall = new Firewall(sys, createLogger('error'), 'berth');
  firewall.apply([network]);
  firewall.ensure();
  assert.equal(sys.calls.filter(({ call }) => call === 'nft.run').length, 1);
  sys.answer('nft.query', []);
  firewall.ensure();
  assert.equal(sys.calls.filter(({ call }) => call === 'nft.run').length, 2);
});
