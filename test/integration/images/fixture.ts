import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { TestContext } from 'node:test';
import { unpack } from '#archive';
import { createLogger } from '#lib';
import type { ProgressLine } from '#spec';
import { openDatabase, openStore, storeMigrations, type Database, type Store } from '#store';
import { createLinuxSys } from '#sys';
import { openImages, type Images, type ImageUser } from '../../../src/engine/images/index.ts';

export interface ImageFixture {
  root: string;
  db: Database;
  store: Store;
  images: Images;
  events: { action: string; id: string; attributes: Record<string, string> }[];
  /** What `containersUsing` answers for every image. */
  users: ImageUser[];
  /** As a killed engine would leave it: nothing is synced. */
  close(): Promise<void>;
}

/** Opens a store below `directory`, recovering what is there. */
export async function openFixture(directory: string): Promise<ImageFixture> {
  const root = join(directory, 'store');
  mkdirSync(root, { recursive: true });
  const db = openDatabase(join(directory, 'meta.db'), storeMigrations);
  const store = await openStore({ root, db, sys: createLinuxSys(), unpack, logger: createLogger('error') });
  const events: ImageFixture['events'] = [];
  const users: ImageUser[] = [];
  const images = openImages({
    store,
    emit: (action, id, attributes) => void events.push({ action, id, attributes }),
    containersUsing: () => users,
  });
  const close = async (): Promise<void> => {
    await store.settle();
    db.close();
  };
  return { root, db, store, images, events, users, close };
}

/** A folder of the test's own, removed after it; container layers in it are unmounted first. */
export function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'berth-images-'));
  t.after(() => {
    const writable = join(directory, 'store', 'rw');
    const mounts = createLinuxSys().mounts;
    for (const name of existsSync(writable) ? readdirSync(writable) : []) {
      const target = join(writable, name, 'merged');
      while (mounts.listMounts().some((mount) => mount.target === target)) mounts.unmount(target);
    }
    rmSync(directory, { recursive: true });
  });
  return directory;
}

/** A store of the test's own, checked to be whole at the end of the test. */
export async function newFixture(t: TestContext): Promise<ImageFixture> {
  const fixture = await openFixture(temporaryDirectory(t));
  t.after(() => fixture.close());
  return fixture;
}

export const never: AbortSignal = new AbortController().signal;

export async function loadLines(
  images: Images,
  archive: Uint8Array,
  options: { quiet?: boolean; platform?: string; signal?: AbortSignal } = {},
): Promise<ProgressLine[]> {
  const body = Readable.from(pieces(archive));
  const { quiet = true, platform = '', signal = never } = options;
  return await Array.fromAsync(images.load(body, { quiet, platform, signal }));
}

function* pieces(archive: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < archive.length; at += 60_000) yield archive.subarray(at, at + 60_000);
}

/** Loads and answers what was said, trimmed. */
export async function loaded(images: Images, archive: Uint8Array): Promise<string[]> {
  const lines = await loadLines(images, archive);
  return lines.map((line) => (line.stream ?? line.error ?? JSON.stringify(line)).trim());
}

export async function assertWhole(fixture: ImageFixture): Promise<void> {
  assert.deepEqual((await fixture.store.fsck({ deep: true })).problems, []);
}

/** Nothing of any image is on the disk. */
export async function assertEmpty(fixture: ImageFixture): Promise<void> {
  await assertWhole(fixture);
  assert.deepEqual(await fixture.store.blobs.list(), []);
  assert.deepEqual(readdirSync(join(fixture.root, 'l')), ['empty']);
  assert.deepEqual(fixture.store.images.list(), []);
}
