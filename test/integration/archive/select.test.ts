import assert from 'node:assert/strict';
import { linkSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { matchSources, readTar, type SelectOptions, selectTree, type TarHeader } from '#archive';
import { scratch } from './helpers.ts';

/** A tree with a bit of everything that selections care about. */
function tree(t: TestContext): string {
  const root = scratch(t);
  for (const directory of ['a/b', 'c', 'out']) mkdirSync(join(root, directory), { recursive: true });
  for (const file of ['a/1.txt', 'a/2.md', 'a/b/3.txt', 'c/4.txt', '5.txt', '!6']) {
    writeFileSync(join(root, file), file, { mode: 0o640 });
  }
  symlinkSync('a/b', join(root, 'link'));
  symlinkSync('/../../etc', join(root, 'escape'));
  symlinkSync('nowhere', join(root, 'dangling'));
  linkSync(join(root, 'a/1.txt'), join(root, 'c/same'));
  return root;
}

async function select(options: Partial<SelectOptions> & Pick<SelectOptions, 'root' | 'entries'>): Promise<TarHeader[]> {
  const found: TarHeader[] = [];
  const whole = { ignore: [], exclude: [], owner: undefined, mode: '', withoutTimes: false, ...options };
  for await (const { header } of readTar(selectTree(whole))) found.push(header);
  return found;
}

describe('matchSources', () => {
  test('finds paths and wildcards, follows links inside the root, leaves out what is ignored', async (t) => {
    const root = tree(t);
    const match = async (sources: string[], ignore: string[] = []): Promise<[string, string, boolean][]> =>
      (await matchSources({ root, sources, ignore })).map(({ path, real, isDirectory }) => [path, real, isDirectory]);
    assert.deepEqual(await match(['a/*.txt', '*.txt', 'nothing*']), [
      ['a/1.txt', 'a/1.txt', false],
      ['5.txt', '5.txt', false],
    ]);
    assert.deepEqual(await match(['.', 'link', '!6', '../../c/', '?6']), [
      ['', '', true],
      ['link', 'a/b', true],
      ['!6', '!6', false],
      ['c', 'c', true],
      ['!6', '!6', false],
    ]);
    assert.deepEqual(await match(['*'], ['a', '*.txt', 'link']), [
      ['!6', '!6', false],
      ['c', 'c', true],
      ['out', 'out', true],
    ]);
  });

  test('refuses what is not there, also where a link leads out', async (t) => {
    const root = tree(t);
    for (const source of ['none', 'a/none', 'dangling', 'escape', '5.txt/x']) {
      await assert.rejects(
        matchSources({ root, sources: [source], ignore: [] }),
        { code: 'COPY_SOURCE_MISSING' },
        source,
      );
    }
    await assert.rejects(matchSources({ root, sources: ['a'], ignore: ['a'] }), { code: 'COPY_SOURCE_MISSING' });
  });
});

describe('selectTree', () => {
  test('packs under new names, with new owners and modes, what no pattern leaves out', async (t) => {
    const root = tree(t);
    const found = await select({
      root,
      entries: [
        { from: 'a', shown: 'a', to: '' },
        { from: 'c', shown: 'c', to: 'd/e' },
        { from: '5.txt', shown: '5.txt', to: 'renamed' },
      ],
      ignore: ['**/*.md'],
      exclude: ['b'],
      owner: { uid: 7, gid: 8 },
      mode: 'u+x',
    });
    assert.deepEqual(
      found.map(({ name, type, mode, uid, gid }) => [name, type, mode.toString(8), uid, gid]),
      [
        ['1.txt', 'file', '740', 7, 8],
        ['d/e/', 'directory', '755', 7, 8],
        ['d/e/4.txt', 'file', '740', 7, 8],
        ['d/e/same', 'hardlink', '740', 7, 8],
        ['renamed', 'file', '740', 7, 8],
      ],
    );
  });

  test('keeps what an exception takes back below an ignored directory', async (t) => {
    const root = tree(t);
    const found = await select({ root, entries: [{ from: '', shown: '', to: '' }], ignore: ['*', '!a/b'] });
    assert.deepEqual(
      found.map(({ name }) => name),
      ['a/b/', 'a/b/3.txt'],
    );
  });

  test('without times, equal content gives equal bytes', async (t) => {
    const root = tree(t);
    const bytes = async (withoutTimes: boolean): Promise<Buffer> => {
      const entries = [{ from: 'a', shown: 'a', to: '' }];
      const stream = selectTree({ root, entries, ignore: [], exclude: [], owner: undefined, mode: '', withoutTimes });
      return Buffer.concat((await stream.toArray()) as Buffer[]);
    };
    const [plain, timeless] = [await bytes(false), await bytes(true)];
    utimesSync(join(root, 'a/1.txt'), 1, 1);
    assert.ok(!plain.equals(await bytes(false)));
    assert.ok(timeless.equals(await bytes(true)));
    writeFileSync(join(root, 'a/1.txt'), 'else');
    assert.ok(!timeless.equals(await bytes(true)));
  });
});
