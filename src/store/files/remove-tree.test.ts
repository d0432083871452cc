import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { removeTree } from './remove-tree.ts';

test('removeTree removes small, large and oddly named trees, and not what links point to', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'berth-remove-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const outside = join(dir, 'outside');
  mkdirSync(outside);
  writeFileSync(join(outside, 'kept'), '');
  for (const [name, count] of [
    ['small', 3],
    ['large', 100],
  ] as const) {
    const tree = join(dir, name);
    mkdirSync(join(tree, 'sub'), { recursive: true });
    symlinkSync(outside, join(tree, 'link'));
    mkdirSync(Buffer.concat([Buffer.from(`${tree}/sub/`), Buffer.from([0xff, 0xfe])]));
    writeFileSync(Buffer.concat([Buffer.from(`${tree}/sub/`), Buffer.from([0xff, 0xfe]), Buffer.from('/x')]), '');
    for (let i = 0; i < count; i++) writeFileSync(join(tree, 'sub', String(i)), '');
    await removeTree(tree);
    assert.ok(!existsSync(tree));
  }
  writeFileSync(join(dir, 'file'), '');
  await removeTree(join(dir, 'file'));
  await removeTree(join(dir, 'absent'));
  assert.ok(existsSync(join(outside, 'kept')));
});
