import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { createScratch } from './scratch.ts';

test('nft runs transactions in a namespace, lists them, and undoes failed ones', () => {
  using scratch = createScratch();
  const { namespaces, nft } = scratch.sys;
  const path = join(scratch.path, 'ns');
  namespaces.createNetns(path);
  namespaces.withNetns(path, () => {
    nft.run(
      'add table inet t\nadd map inet t m { type inet_service : ipv4_addr; }\nadd element inet t m { 80 : 10.0.0.2 }',
    );
    assert.match(nft.run('list table inet t'), /80 : 10\.0\.0\.2/);
    const objects = nft.query('list table inet t');
    assert.ok(objects.some((object) => object['map']?.['name'] === 'm'));
    assert.throws(() => nft.run('add table inet u\nadd element inet t m { 80 : 10.0.0.3 }'), {
      kind: 'alreadyExists',
      message: /^nft: .*File exists/,
    });
    assert.throws(() => nft.run('nonsense'), { kind: 'invalidArgument' });
    assert.deepEqual(nft.run('list tables'), 'table inet t\n');
  });
  namespaces.removeNetns(path);
});
