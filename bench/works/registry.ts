import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { timeMs } from '../measure.ts';
import { type BlobFile, BenchRegistry, makeBlobs } from '../registries.ts';
import type { Work } from '../work.ts';

const parallel = 16;

interface Shape {
  readonly name: string;
  readonly what: string;
  readonly count: number;
  readonly sizeBytes: number;
}

const shapes: readonly Shape[] = [
  { name: 'small', what: '200 blobs of 1 MB, 16 at a time', count: 200, sizeBytes: 1_000_000 },
  { name: 'large', what: 'one blob of 1 GB', count: 1, sizeBytes: 1_000_000_000 },
];

/** Pushes to (or pulls from) our registry beside docker-registry, which stands in for the engines `berth` and `docker`. */
function registryWork(direction: 'push' | 'pull', { name, what, count, sizeBytes }: Shape): Work {
  const open = new Map<string, { registry: BenchRegistry; blobs: readonly BlobFile[] }>();
  let round = 0;
  return {
    name: `registry-${direction}-${name}`,
    title: `${direction} of ${what}, berth registry beside docker-registry`,
    unit: 'ms',
    bar: 1,
    rounds: 5,
    fits: (engine) => engine.name !== 'podman',
    prepare: async (engine) => {
      const directory = mkdtempSync('/var/tmp/berth-bench-registry-');
      const blobs = makeBlobs(join(directory, 'blobs'), count, sizeBytes);
      const kind = engine.name === 'berth' ? 'berth' : 'docker';
      const registry = await BenchRegistry.start(kind, join(directory, kind));
      if (direction === 'pull') await registry.push('bench/pull', blobs, parallel);
      open.set(engine.name, { registry, blobs });
      return async () => {
        await registry.stop();
        rmSync(directory, { recursive: true, force: true });
      };
    },
    round: async (engine) => {
      const opened = open.get(engine.name);
      if (!opened) throw new Error('not prepared');
      round += 1;
      // A repository of its own, where nothing is known to be there yet.
      const repository = direction === 'pull' ? 'bench/pull' : `bench/push-${round}`;
      return await timeMs(async () => await opened.registry[direction](repository, opened.blobs, parallel));
    },
  };
}

export const registryWorks: readonly Work[] = shapes.flatMap((shape) => [
  registryWork('push', shape),
  registryWork('pull', shape),
]);
