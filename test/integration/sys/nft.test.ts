import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type NftSocket, planElements, planTable, planTableRemoval } from '#sys';
import { sampleTable } from '../../fixtures/nft/sample-table.ts';
import { runNft } from '../../helpers/nft.ts';
import { createScratch } from './scratch.ts';

const listing = new URL('../../fixtures/nft/sample-listing.txt', import.meta.url);

/** A socket into a namespace of the test's own. */
function createNamespace(): { socket: NftSocket; path: string } & Disposable {
  const scratch = createScratch();
  const { namespaces, nft } = scratch.sys;
  const path = join(scratch.path, 'ns');
  namespaces.createNetns(path);
  const socket = nft.openNftSocket(path);
  return {
    socket,
    path,
    [Symbol.dispose]: () => {
      socket[Symbol.dispose]();
      namespaces.removeNetns(path);
      scratch[Symbol.dispose]();
    },
  };
}

test('nft(8) reads every kind of set and rule as it was meant', () => {
  using namespace = createNamespace();
  const { socket, path } = namespace;
  socket.commit(planTable(sampleTable));
  socket.commit(planTable(sampleTable));
  assert.equal(runNft('list ruleset', path), readFileSync(listing, 'utf8'));
  socket.commit(planTableRemoval(sampleTable));
  socket.commit(planTableRemoval(sampleTable));
  assert.equal(runNft('list ruleset', path), '');
});

test('elements change in place, thousands of them at once too', () => {
  using namespace = createNamespace();
  const { socket, path } = namespace;
  const [published] = sampleTable.sets.filter(({ name }) => name === 'published');
  assert.ok(published !== undefined);
  const elements = Array.from({ length: 20_000 }, (_, port) => ({ key: [17, port], data: ['10.0.0.1', port] }));
  const table = { ...sampleTable, sets: [{ ...published, elements: elements.slice(0, 1) }], chains: [] };
  const full = { ...table, sets: [{ ...published, elements }] };
  const moved = { ...table, sets: [{ ...published, elements: [{ key: [17, 0], data: ['10.0.0.7', 7] }] }] };
  socket.commit(planTable(table));
  socket.commit(planElements(table, full));
  assert.match(runNft('list ruleset', path), /udp \. 19999 : 10\.0\.0\.1 \. 19999/);
  socket.commit(planElements(full, moved));
  assert.match(runNft('list ruleset', path), /elements = \{ udp \. 0 : 10\.0\.0\.7 \. 7 \}/);
});

test('a refused transaction leaves nothing behind and says what was refused', () => {
  using namespace = createNamespace();
  const { socket, path } = namespace;
  const table = { family: 'inet', table: 't' } as const;
  socket.commit([{ ...table, change: 'addTable' }]);
  assert.throws(
    () =>
      socket.commit([
        { ...table, change: 'addChain', chain: { name: 'c' } },
        { ...table, change: 'addRule', chain: 'missing', expressions: [] },
        { ...table, table: 'u', change: 'removeTable' },
      ]),
    { kind: 'notFound', message: 'nft add rule inet t missing: no such file or directory' },
  );
  const set = { name: 's', key: ['inet_service'], data: ['mark'] } as const;
  const add = (mark: number): void =>
    socket.commit([{ ...table, change: 'addElements', set, elements: [{ key: [80], data: [mark] }] }]);
  socket.commit([{ ...table, change: 'addSet', set }]);
  add(1);
  add(1);
  assert.throws(() => add(2), { kind: 'alreadyExists', message: /^nft add element inet t s: / });
  assert.deepEqual(socket.listChains(), []);
  assert.match(runNft('list ruleset', path), /80 : 0x00000001/);
});

test('listings show the chains and rules of others', () => {
  using namespace = createNamespace();
  const { socket, path } = namespace;
  runNft(
    `table ip filter {
      chain FORWARD {
        type filter hook forward priority filter; policy drop;
        iifname "berth0" counter accept
        limit rate 5/second drop
      }
    }
    table netdev n {
      chain c {
      }
    }`,
    path,
  );
  assert.deepEqual(socket.listChains(), [
    { family: 'ip', table: 'filter', name: 'FORWARD', hook: 'forward', policy: 'drop' },
    { family: undefined, table: 'n', name: 'c', hook: undefined, policy: undefined },
  ]);
  const rules = socket.listRules({ family: 'ip', table: 'filter' }, 'FORWARD');
  assert.deepEqual(
    rules.map(({ expressions }) => expressions.map((step) => step?.op)),
    [
      ['meta', 'cmp', 'counter', 'verdict'],
      [undefined, 'verdict'],
    ],
  );
  socket.commit([
    { family: 'ip', table: 'filter', change: 'removeRule', chain: 'FORWARD', handle: rules[0]?.handle ?? 0n },
  ]);
  assert.equal(socket.listRules({ family: 'ip', table: 'filter' }, 'FORWARD').length, 1);
  assert.deepEqual(socket.listRules({ family: 'ip', table: 'absent' }, 'FORWARD'), []);
});
