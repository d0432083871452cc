import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Digest, oci } from '#spec';
import { referredBlobs } from '../gc/collect.ts';
import { openDatabase, storeMigrations, type Database } from '../meta/index.ts';
import { ImageRecords, IndexRecords, type IndexEntry } from './index.ts';

const digest = (letter: string): Digest => `sha256:${letter.repeat(64)}` as Digest;
const AT = '2026-01-01T00:00:00Z';

function entry(letter: string, kind: IndexEntry['kind'] = 'image'): IndexEntry {
  const descriptor: oci.Descriptor = { mediaType: 'm', digest: digest(letter), size: 1 };
  return { manifestDigest: descriptor.digest, kind, descriptor };
}

/** An index `0` of two images: `a` with manifest `1` is here, `2` is only listed. */
function open(t: TestContext): { db: Database; images: ImageRecords; indexes: IndexRecords } {
  const db = openDatabase(':memory:', storeMigrations);
  t.after(() => db.close());
  const images = new ImageRecords(db);
  const indexes = new IndexRecords(db);
  images.add({ id: digest('a'), manifestDigest: digest('1'), parentId: undefined, addedAt: AT }, []);
  indexes.add(digest('0'), [entry('1'), entry('2')]);
  indexes.keep(digest('0'), digest('1'), { imageId: digest('a'), blobs: [digest('a'), digest('c')] });
  return { db, images, indexes };
}

test('IndexRecords tells what is listed and what of it is here', (t) => {
  const { db, indexes } = open(t);
  const told = indexes.entries(digest('0')).map(({ imageId, isHere }) => ({ imageId, isHere }));
  assert.deepEqual(told, [
    { imageId: digest('a'), isHere: true },
    { imageId: undefined, isHere: false },
  ]);
  assert.deepEqual(indexes.blobs(digest('0'), digest('1')), [digest('1'), digest('a'), digest('c')]);
  assert.deepEqual(indexes.containing(digest('a')), [digest('0')]);
  assert.deepEqual(indexes.listing(digest('2')), [digest('0')]);
  assert.deepEqual([...referredBlobs(db)].sort(), ['0', '1', 'a', 'c'].map(digest));
});

test('IndexRecords.drop keeps the entry listed and gives up its blobs', (t) => {
  const { db, indexes } = open(t);
  indexes.drop(digest('0'), digest('1'));
  assert.deepEqual(
    indexes.entries(digest('0')).map((each) => each.isHere),
    [false, false],
  );
  assert.equal(referredBlobs(db).has(digest('c')), false);
});

test('an index goes with its last name, unless an image without names stands for it', (t) => {
  const { images, indexes } = open(t);
  images.add({ id: digest('b'), manifestDigest: digest('3'), parentId: undefined, addedAt: AT }, []);
  images.tag('x:1', digest('a'), AT, digest('0'));
  images.tag('x:2', digest('a'), AT, digest('0'));
  images.untag('x:1');
  assert.ok(indexes.has(digest('0')), 'another name has it');
  images.tag('x:2', digest('b'), AT);
  assert.ok(indexes.has(digest('0')), 'the image that lost its name still stands for it');
  assert.equal(images.find(digest('a'))?.indexDigest, digest('0'));
  images.tag('x:3', digest('a'), AT);
  images.untag('x:2');
  assert.equal(indexes.has(digest('0')), false, 'the image has a name of its own');
  assert.equal(images.find(digest('a'))?.indexDigest, undefined);
});

test('an index goes with the image without names that stood for it', (t) => {
  const { db, images, indexes } = open(t);
  images.tag('x:1', digest('a'), AT, digest('0'));
  images.untag('x:1');
  assert.ok(indexes.has(digest('0')));
  images.remove(digest('a'));
  assert.deepEqual(indexes.list(), []);
  assert.deepEqual([...referredBlobs(db)], []);
});

test('ImageRecords.standFor takes all names of an index along, and no others', (t) => {
  const { images } = open(t);
  images.add({ id: digest('b'), manifestDigest: digest('2'), parentId: undefined, addedAt: AT }, []);
  images.tag('x:1', digest('a'), AT, digest('0'));
  images.tag('x:2', digest('a'), AT);
  images.standFor(digest('0'), digest('b'));
  assert.deepEqual(images.target('x:1'), { imageId: digest('b'), indexDigest: digest('0') });
  assert.deepEqual(images.target('x:2'), { imageId: digest('a'), indexDigest: undefined });
  assert.equal(images.find(digest('a'))?.indexDigest, undefined);
});

test('an image stands for an index that a name of its own points at, whatever names without one come and go', (t) => {
  const { images, indexes } = open(t);
  const standsFor = (): Digest | undefined => images.find(digest('a'))?.indexDigest;
  images.tag('x:1', digest('a'), AT, digest('0'));
  images.tag('x:2', digest('a'), AT);
  assert.equal(standsFor(), digest('0'));
  indexes.add(digest('9'), [entry('1')]);
  images.tag('x:3', digest('a'), AT, digest('9'));
  assert.equal(standsFor(), digest('0'));
  images.untag('x:1');
  assert.equal(standsFor(), digest('9'));
  assert.deepEqual(indexes.list(), [digest('9')]);
  images.untag('x:3');
  assert.equal(standsFor(), undefined);
  assert.deepEqual(indexes.list(), []);
});

test('ImageRecords.standFor leaves an index to an image without names, and drops it for one with names of its own', (t) => {
  const { images, indexes } = open(t);
  images.standFor(digest('0'), digest('a'));
  assert.deepEqual(indexes.list(), [digest('0')]);
  images.tag('x:1', digest('a'), AT);
  assert.deepEqual(indexes.list(), []);
  indexes.add(digest('9'), [entry('1')]);
  images.standFor(digest('9'), digest('a'));
  images.settleIndex(digest('a'));
  assert.deepEqual([indexes.list(), images.find(digest('a'))?.indexDigest], [[], undefined]);
});
