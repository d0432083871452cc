import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, createWriteStream, existsSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createTarWriter } from '#archive';
import { type BenchEngine, cli } from '../engines/engine.ts';
import { timeMs } from '../measure.ts';
import type { Work } from '../work.ts';

/*
 * Each round has an image of its own, and all are removed after the last: ext4 creates files several times slower while
 * many were just deleted, so a round would measure how the one before was cleaned up.
 */

const directories = 200;
const filesEach = 100;
const fileBytes = 2_000;

let archives: string | undefined;
const roundsOf = new Map<string, number>();

const nameOf = (round: number): string => `berth-bench/files:${round}`;

/** Writes a layer of 20,000 small files, which differ from those of other rounds. Returns its digest. */
async function writeLayer(path: string, round: number): Promise<string> {
  const writer = createTarWriter();
  const hash = createHash('sha256');
  const hashed = new PassThrough().on('data', (chunk: Buffer) => hash.update(chunk));
  const written = pipeline(writer.stream, hashed, createWriteStream(path));
  for (let index = 0; index < directories; index++) {
    await writer.add({ name: `d${index}`, type: 'directory' });
    for (let file = 0; file < filesEach; file++) {
      await writer.add({ name: `d${index}/f${file}` }, `${round}/${index}/${file}\n`.repeat(fileBytes / 8));
    }
  }
  await writer.end();
  await written;
  return `sha256:${hash.digest('hex')}`;
}

/** A docker-archive, in a file that is removed at exit. */
async function archiveOf(round: number): Promise<string> {
  if (archives === undefined) {
    const directory = mkdtempSync('/var/tmp/berth-bench-load-');
    process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
    archives = directory;
  }
  const archive = join(archives, `${round}.tar`);
  if (existsSync(archive)) return archive;
  const diffId = await writeLayer(join(archives, 'layer.tar'), round);
  const config = {
    architecture: process.arch === 'x64' ? 'amd64' : 'arm64',
    os: 'linux',
    config: { Cmd: ['sh'] },
    rootfs: { type: 'layers', diff_ids: [diffId] },
  };
  const manifest = [{ Config: 'config.json', RepoTags: [nameOf(round)], Layers: ['layer.tar'] }];
  writeFileSync(join(archives, 'config.json'), JSON.stringify(config));
  writeFileSync(join(archives, 'manifest.json'), JSON.stringify(manifest));
  execFileSync('tar', ['-C', archives, '-cf', archive, 'manifest.json', 'config.json', 'layer.tar']);
  return archive;
}

async function loadNext(engine: BenchEngine): Promise<number> {
  const round = roundsOf.get(engine.name) ?? 0;
  const stdin = openSync(await archiveOf(round), 'r');
  try {
    // What was written and deleted before goes to the disk outside of the time measured, whoever did it.
    execFileSync('sync');
    const took = await timeMs(async () => await cli(engine, ['load'], { stdin }));
    roundsOf.set(engine.name, round + 1);
    return took;
  } finally {
    closeSync(stdin);
  }
}

export const load20k: Work = {
  name: 'load20k',
  title: 'load of an image of 20,000 files',
  unit: 'ms',
  bar: 0.6,
  rounds: 3,
  prepare: async (engine) => {
    roundsOf.delete(engine.name);
    return await Promise.resolve(async () => {
      const loaded = Array.from({ length: roundsOf.get(engine.name) ?? 0 }, (_, round) => nameOf(round));
      if (loaded.length > 0) await cli(engine, ['rmi', ...loaded]);
    });
  },
  round: loadNext,
};
