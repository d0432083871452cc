import { spawnSync } from 'node:child_process';
import { createWriteStream, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { closeArchiveWorkers, createCompressor, createTarWriter, packTree, unpack } from '#archive';

/*
 * Unpacks a layer of 20,000 small files with `unpack` and with GNU tar, in turn, each time into a new directory, and packs
 * it again with `packTree` and GNU tar. Prints medians. Arguments: number of files (20000), rounds (5), folder (TMPDIR).
 *
 * Nothing is removed before the end, since ext4 creates files several times slower while many were just deleted.
 */

const [files = 20_000, rounds = 5] = process.argv.slice(2, 4).map(Number);
const base = mkdtempSync(join(process.argv[4] ?? tmpdir(), 'berth-bench-'));

async function writeArchive(path: string, compression?: 'gzip' | 'zstd'): Promise<void> {
  const writer = createTarWriter();
  const sink = createWriteStream(path);
  const written = compression
    ? pipeline(writer.stream, createCompressor(compression), sink)
    : pipeline(writer.stream, sink);
  for (let i = 0; i < files; i++) {
    const directory = `usr/lib/package${Math.floor(i / 500)}/module${Math.floor(i / 50)}`;
    if (i % 50 === 0) await writer.add({ name: directory, type: 'directory', mtimeNs: 1_700_000_000_000_000_000n });
    await writer.add(
      { name: `${directory}/file${i}.js`, mtimeNs: 1_700_000_000_000_000_000n },
      `content of file ${i}, `.repeat((i * 7) % 200),
    );
  }
  await writer.end();
  await written;
}

let runs = 0;
function freshRoot(): string {
  const root = join(base, `root${runs++}`);
  mkdirSync(root);
  return root;
}

async function measure(what: string, contestants: Record<string, () => void | Promise<void>>): Promise<void> {
  const times = new Map<string, number[]>();
  for (let round = 0; round < rounds; round++) {
    for (const [name, run] of Object.entries(contestants)) {
      const started = performance.now();
      await run();
      times.set(name, [...(times.get(name) ?? []), performance.now() - started]);
    }
  }
  for (const [name, all] of times) {
    const sorted = all.toSorted((a, b) => a - b);
    const [best = 0, median = 0] = [sorted[0], sorted[Math.floor(sorted.length / 2)]];
    console.log(
      `${what.padEnd(14)} ${name.padEnd(10)} median ${median.toFixed(0).padStart(6)} ms, best ${best.toFixed(0).padStart(6)} ms`,
    );
  }
}

function tar(...args: string[]): void {
  const { status } = spawnSync('tar', args, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`tar failed with ${status}`);
}

try {
  const plain = join(base, 'plain.tar');
  await writeArchive(plain);
  await writeArchive(join(base, 'layer.tar.gz'), 'gzip');
  await writeArchive(join(base, 'layer.tar.zst'), 'zstd');
  for (const name of ['plain.tar', 'layer.tar.gz', 'layer.tar.zst']) {
    const path = join(base, name);
    await measure(`unpack ${name.split('.').at(-1)}`, {
      berth: async () => void (await unpack({ source: { path }, root: freshRoot(), whiteouts: 'overlay' })),
      ...(name.endsWith('zst') ? {} : { tar: () => tar('-C', freshRoot(), '-xpf', path) }),
    });
  }
  const packed = join(base, 'root0');
  await measure('pack', {
    berth: () => pipeline(packTree({ root: packed, mode: 'plain' }), createWriteStream('/dev/null')),
    tar: () => tar('-C', packed, '-cf', join(base, 'packed.tar'), '.'),
  });
} finally {
  await closeArchiveWorkers();
  rmSync(base, { recursive: true });
}
