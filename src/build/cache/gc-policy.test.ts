import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CacheEntry } from './cache-entries.ts';
import { choosePruned, type PruneRequest } from './choose-pruned.ts';
import { bytesToKeep } from './gc-policy.ts';

const none = { reservedBytes: undefined, maxUsedBytes: undefined, minFreeBytes: undefined };

test('what a policy keeps: the reserve, the most, and what leaves the disk enough', () => {
  const disk = { cacheBytes: 100, freeBytes: 50 };
  assert.equal(bytesToKeep(none, disk), 0);
  assert.equal(bytesToKeep({ ...none, reservedBytes: 30 }, disk), 30);
  assert.equal(bytesToKeep({ ...none, maxUsedBytes: 60 }, disk), 60);
  assert.equal(bytesToKeep({ ...none, maxUsedBytes: 200 }, disk), undefined);
  assert.equal(bytesToKeep({ ...none, minFreeBytes: 70 }, disk), 80);
  assert.equal(bytesToKeep({ ...none, minFreeBytes: 40 }, disk), undefined);
  assert.equal(bytesToKeep({ reservedBytes: 90, maxUsedBytes: 60, minFreeBytes: 70 }, disk), 90);
});

function entry(name: string, own: Partial<CacheEntry> = {}): CacheEntry {
  return {
    key: name,
    ID: name,
    Type: 'regular',
    Description: `RUN ${name}`,
    InUse: false,
    Shared: false,
    Size: 10,
    CreatedAt: '2020-01-01T00:00:00Z',
    LastUsedAt: '2020-01-01T00:00:00Z',
    UsageCount: 1,
    ...own,
  };
}

function pruned(entries: CacheEntry[], own: Partial<PruneRequest> = {}): string[] {
  return choosePruned(entries, { all: false, filters: new Map(), keepBytes: 0, ...own }).map(({ ID }) => ID);
}

test('prune takes the oldest first, down to what may stay', () => {
  const entries = [entry('old'), entry('middle'), entry('new')];
  assert.deepEqual(pruned(entries), ['old', 'middle', 'new']);
  assert.deepEqual(pruned(entries, { keepBytes: 15 }), ['old', 'middle']);
  assert.deepEqual(pruned(entries, { keepBytes: 30 }), []);
});

test('prune leaves what builds use, and what images share unless all goes', () => {
  const entries = [entry('used', { InUse: true }), entry('shared', { Shared: true }), entry('free')];
  assert.deepEqual(pruned(entries), ['free']);
  assert.deepEqual(pruned(entries, { all: true }), ['shared', 'free']);
});

test('prune knows filters', () => {
  const entries = [entry('aa'), entry('bb', { Type: 'exec.cachemount' })];
  const by = (name: string, value: string): string[] => pruned(entries, { filters: new Map([[name, [value]]]) });
  assert.deepEqual(by('id', 'a'), ['aa']);
  assert.deepEqual(by('type', 'exec.cachemount'), ['bb']);
  assert.deepEqual(by('description', 'bb'), ['bb']);
  assert.deepEqual(by('until', '1h'), ['aa', 'bb']);
  assert.deepEqual(by('until', '2000000h'), []);
  assert.deepEqual(by('until', '2021-01-01'), ['aa', 'bb']);
  assert.deepEqual(by('until', '2019-01-01'), []);
  assert.throws(() => by('until', 'x'), /filter expects a duration/);
  assert.throws(() => by('nope', 'x'), /invalid filter 'nope'/);
});
