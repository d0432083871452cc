import assert from 'node:assert/strict';
import type { BigIntStats } from 'node:fs';
import { test } from 'node:test';
import { type InitNode, planInitLayer } from './init-plan.ts';

/** An image of one layer, by path: a directory, or something else. */
function plan(image: Record<string, 'directory' | 'other'>): string[] {
  const nodes = planInitLayer(['layer'], (path, layers) => {
    const kind = image[path];
    if (kind === undefined || layers.length === 0) return undefined;
    const stat = { isDirectory: () => kind === 'directory' } as BigIntStats;
    return { stat, layers: kind === 'directory' ? layers : [] };
  });
  return nodes.map(describeNode);
}

function describeNode(node: InitNode): string {
  if (node.kind === 'link') return `${node.path} -> ${node.to}`;
  if (node.kind === 'file') return node.path;
  return `${node.path}/${node.like ? ' as in the image' : ''}`;
}

const everything = ['.dockerenv', 'dev/', 'dev/console', 'dev/pts/', 'dev/shm/', 'etc/', 'etc/hostname', 'etc/hosts'];

test('planInitLayer makes every fixture for an empty image, parents first', () => {
  assert.deepEqual(plan({}), [...everything, 'etc/mtab -> /proc/mounts', 'etc/resolv.conf', 'proc/', 'sys/']);
});

test('planInitLayer keeps the directories of the image, with their attributes where something is added inside', () => {
  const nodes = plan({
    etc: 'directory',
    dev: 'directory',
    'dev/pts': 'directory',
    proc: 'directory',
    sys: 'directory',
  });
  assert.deepEqual(nodes, [
    '.dockerenv',
    'dev/ as in the image',
    'dev/console',
    'dev/shm/',
    'etc/ as in the image',
    'etc/hostname',
    'etc/hosts',
    'etc/mtab -> /proc/mounts',
    'etc/resolv.conf',
  ]);
});

test('planInitLayer replaces files and links, on the way to a fixture too, and leaves a directory in its place', () => {
  const nodes = plan({ etc: 'other', 'etc/hosts': 'directory', proc: 'other', '.dockerenv': 'directory' });
  assert.ok(!nodes.includes('.dockerenv'));
  assert.ok(nodes.includes('etc/') && nodes.includes('etc/hosts') && nodes.includes('proc/'));
  assert.ok(!plan({ etc: 'directory', 'etc/hosts': 'directory' }).includes('etc/hosts'));
});
