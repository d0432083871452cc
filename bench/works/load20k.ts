import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, closeSync } from 'node:fs';
import { join } from 'node:path';
import { cli } from '../engines/engine.ts';
import { timeMs } from '../measure.ts';
import type { Work } from '../work.ts';

const name = 'berth-bench/files:20k';
const directories = 200;
const filesEach = 100;
const fileBytes = 2_000;

let archive: string | undefined;

/** A docker-archive of 20,000 small files, in a file that is removed at exit. */
function makeArchive(): string {
  if (archive !== undefined) return archive;
  const directory = mkdtempSync('/var/tmp/berth-bench-load-');
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  const root = join(directory, 'root');
  for (let index = 0; index < directories; index++) {
    const folder = join(root, `d${index}`);
    mkdirSync(folder, { recursive: true });
    for (let file = 0; file < filesEach; file++)
      writeFileSync(join(folder, `f${file}`), `${index}/${file}\n`.repeat(fileBytes / 8));
  }
  const image = join(directory, 'image');
  mkdirSync(image);
  execFileSync('tar', ['--owner=0', '--group=0', '-C', root, '-cf', join(image, 'layer.tar'), '.']);
  const diffId = `sha256:${createHash('sha256')
    .update(readFileSync(join(image, 'layer.tar')))
    .digest('hex')}`;
  const config = {
    architecture: process.arch === 'x64' ? 'amd64' : 'arm64',
    os: 'linux',
    config: { Cmd: ['sh'] },
    rootfs: { type: 'layers', diff_ids: [diffId] },
  };
  writeFileSync(join(image, 'config.json'), JSON.stringify(config));
  writeFileSync(
    join(image, 'manifest.json'),
    JSON.stringify([{ Config: 'config.json', RepoTags: [name], Layers: ['layer.tar'] }]),
  );
  archive = join(directory, 'image.tar');
  execFileSync('tar', ['-C', image, '-cf', archive, 'manifest.json', 'config.json', 'layer.tar']);
  rmSync(root, { recursive: true });
  return archive;
}

export const load20k: Work = {
  name: 'load20k',
  title: 'load of an image of 20,000 files',
  unit: 'ms',
  bar: 0.6,
  rounds: 3,
  round: async (engine) => {
    const stdin = openSync(makeArchive(), 'r');
    try {
      const took = await timeMs(async () => await cli(engine, ['load'], { stdin }));
      await cli(engine, ['rmi', name]);
      return took;
    } finally {
      closeSync(stdin);
    }
  },
};
