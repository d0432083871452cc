import { execFileSync } from 'node:child_process';
import { createHash, randomFillSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createGzip } from 'node:zlib';
import { createTarWriter } from '#archive';
import { type BenchEngine, cli } from '../engines/engine.ts';
import { timeMs } from '../measure.ts';
import { type BlobFile, BenchRegistry } from '../registries.ts';
import type { Work } from '../work.ts';

/*
 * Each round has an image of its own, shared by the engines, and all are removed after the last, as with load20k.
 */

const layers = 10;
const filesPerLayer = 4_000;
const fileBytes = 13_000;
const repository = 'bench/pull';
const types = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
};

let opened: { registry: BenchRegistry; directory: string; users: number } | undefined;
const roundsOf = new Map<string, number>();
const pushed = new Set<number>();

async function openRegistry(): Promise<void> {
  if (opened) {
    opened.users += 1;
    return;
  }
  const directory = mkdtempSync('/var/tmp/berth-bench-pull-');
  opened = { registry: await BenchRegistry.start('docker', join(directory, 'registry')), directory, users: 1 };
}

async function closeRegistry(): Promise<void> {
  if (!opened) return;
  opened.users -= 1;
  if (opened.users > 0) return;
  await opened.registry.stop();
  rmSync(opened.directory, { recursive: true, force: true });
  opened = undefined;
  pushed.clear();
}

/** A gzipped layer of files of which half can be compressed. */
async function writeLayer(path: string, name: string): Promise<{ blob: BlobFile; diffId: string; sizeBytes: number }> {
  const writer = createTarWriter();
  const [plain, packed] = [createHash('sha256'), createHash('sha256')];
  let sizeBytes = 0;
  const chunks: Buffer[] = [];
  const tar = new PassThrough().on('data', (chunk: Buffer) => plain.update(chunk));
  const gzip = createGzip({ level: constants.Z_BEST_SPEED });
  const written = pipeline(writer.stream, tar, gzip, async (source: AsyncIterable<Buffer>) => {
    for await (const chunk of source) {
      packed.update(chunk);
      sizeBytes += chunk.length;
      chunks.push(chunk);
    }
  });
  const content = Buffer.alloc(fileBytes);
  for (let file = 0; file < filesPerLayer; file++) {
    randomFillSync(content, 0, fileBytes / 2);
    if (file % 100 === 0) await writer.add({ name: `${name}-${file / 100}`, type: 'directory' });
    await writer.add({ name: `${name}-${Math.floor(file / 100)}/f${file}` }, Buffer.from(content));
  }
  await writer.end();
  await written;
  writeFileSync(path, Buffer.concat(chunks));
  const digest = `sha256:${packed.digest('hex')}`;
  return { blob: { path, digest }, diffId: `sha256:${plain.digest('hex')}`, sizeBytes };
}

function writeBlob(path: string, content: string): BlobFile {
  writeFileSync(path, content);
  return { path, digest: `sha256:${createHash('sha256').update(content).digest('hex')}` };
}

async function pushImage(round: number): Promise<void> {
  if (!opened || pushed.has(round)) return;
  const { registry, directory } = opened;
  const folder = join(directory, String(round));
  mkdirSync(folder);
  const made = [];
  for (let layer = 0; layer < layers; layer++)
    made.push(await writeLayer(join(folder, String(layer)), `${round}-${layer}`));
  const config = JSON.stringify({
    architecture: process.arch === 'x64' ? 'amd64' : 'arm64',
    os: 'linux',
    config: { Cmd: ['sh'] },
    rootfs: { type: 'layers', diff_ids: made.map(({ diffId }) => diffId) },
  });
  const configBlob = writeBlob(join(folder, 'config'), config);
  await registry.push(repository, [configBlob, ...made.map(({ blob }) => blob)], 4);
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: types.manifest,
    config: { mediaType: types.config, digest: configBlob.digest, size: config.length },
    layers: made.map(({ blob, sizeBytes }) => ({ mediaType: types.layer, digest: blob.digest, size: sizeBytes })),
  });
  const response = await fetch(`${registry.url}/v2/${repository}/manifests/${round}`, {
    method: 'PUT',
    headers: { 'content-type': types.manifest },
    body: manifest,
  });
  if (!response.ok) throw new Error(`the manifest was refused: ${response.status} ${await response.text()}`);
  rmSync(folder, { recursive: true });
  pushed.add(round);
}

function imageOf(round: number): string {
  return `${new URL(opened?.registry.url ?? 'http://none').host}/${repository}:${round}`;
}

async function pullNext(engine: BenchEngine): Promise<number> {
  const round = roundsOf.get(engine.name) ?? 0;
  await pushImage(round);
  execFileSync('sync');
  const took = await timeMs(async () => await cli(engine, ['pull', '--quiet', imageOf(round)]));
  roundsOf.set(engine.name, round + 1);
  return took;
}

async function prepare(engine: BenchEngine): Promise<() => Promise<void>> {
  await openRegistry();
  roundsOf.delete(engine.name);
  return async () => {
    const images = Array.from({ length: roundsOf.get(engine.name) ?? 0 }, (_, round) => imageOf(round));
    if (images.length > 0) await cli(engine, ['rmi', ...images]);
    await closeRegistry();
  };
}

const docker = (engine: BenchEngine): boolean => engine.name !== 'podman';

export const pull: Work = {
  name: 'pull',
  title: 'pull of 10 layers, 40,000 files, 520 MB, from docker-registry on loopback',
  unit: 'ms',
  bar: 0.6,
  rounds: 3,
  fits: docker,
  prepare,
  round: pullNext,
};

/** The most memory that a process has had since it was asked to forget. */
function peakMiB(pid: number): number {
  return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
}

export const pullMemory: Work = {
  name: 'pull-memory',
  title: 'most memory of the daemon during such a pull',
  unit: 'MiB',
  rounds: 2,
  fits: docker,
  prepare,
  round: async (engine) => {
    const pids = engine.processes();
    for (const pid of pids) writeFileSync(`/proc/${pid}/clear_refs`, '5');
    await pullNext(engine);
    return Math.max(...pids.map(peakMiB));
  },
};
