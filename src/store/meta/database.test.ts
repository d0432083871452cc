import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { openDatabase } from './database.ts';
import { storeMigrations } from './migrations.ts';

function temporaryFile(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'berth-meta-'));
  t.after(() => rmSync(dir, { recursive: true }));
  return join(dir, 'meta.db');
}

const base = [{ id: 'a', up: 'CREATE TABLE a (x INTEGER) STRICT' }];

test('openDatabase applies each migration once and keeps rows', (t) => {
  const path = temporaryFile(t);
  {
    using db = openDatabase(path, base);
    db.prepare('INSERT INTO a VALUES (?)').run(7);
  }
  using db = openDatabase(path, [...base, { id: 'b', up: 'ALTER TABLE a ADD COLUMN y INTEGER' }]);
  assert.deepEqual({ ...db.prepare('SELECT * FROM a').get() }, { x: 7, y: null });
});

test('openDatabase refuses a file with steps it does not know', (t) => {
  const path = temporaryFile(t);
  openDatabase(path, [...base, { id: 'future', up: 'SELECT 1' }]).close();
  assert.throws(() => openDatabase(path, base), /newer version \(unknown schema steps: future\)/);
});

test('Database.transaction rolls back what a nested failure did, and only that', (t) => {
  using db = openDatabase(temporaryFile(t), base);
  const insert = db.prepare('INSERT INTO a VALUES (?)');
  db.transaction(() => {
    insert.run(1);
    assert.throws(() =>
      db.transaction(() => {
        insert.run(2);
        throw new Error('inner');
      }),
    );
  });
  assert.throws(() =>
    db.transaction(() => {
      insert.run(3);
      throw new Error('outer');
    }),
  );
  assert.deepEqual(
    db
      .prepare('SELECT x FROM a')
      .all()
      .map((row) => row['x']),
    [1],
  );
});

test('the store schema applies to an empty file', (t) => {
  using db = openDatabase(temporaryFile(t), storeMigrations);
  assert.deepEqual(db.integrityProblems(), []);
});

test('a relaxed statement is committed, and durability is back after it, also when it fails', () => {
  using db = openDatabase(':memory:', [{ id: 'test-1', up: 'CREATE TABLE t (a INTEGER) STRICT' }]);
  const insert = db.prepare('INSERT INTO t VALUES (?)');
  const isFull = (): boolean => db.prepare('PRAGMA synchronous').get()?.['synchronous'] === 2;
  db.relaxed(() => insert.run(1));
  assert.ok(isFull());
  assert.throws(() =>
    db.relaxed(() => {
      throw new Error('no');
    }),
  );
  assert.ok(isFull());
  db.transaction(() => db.relaxed(() => insert.run(2)));
  assert.ok(isFull());
  assert.equal(db.prepare('SELECT count(*) AS n FROM t').get()?.['n'], 2);
});
