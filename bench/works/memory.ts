import { setTimeout as delay } from 'node:timers/promises';
import { type BenchEngine, cli, image, residentMiB } from '../engines/engine.ts';
import type { Work } from '../work.ts';

const names = Array.from({ length: 50 }, (_, index) => `bench-memory-${index}`);

/** Engines collect garbage once they have nothing else to do. */
const restMs = 30_000;

export const memoryIdle: Work = {
  name: 'memory-idle',
  title: 'resident memory of all engine processes, idle, at rest',
  unit: 'MiB',
  rounds: 1,
  prepare: async () => {
    await delay(restMs);
    return () => Promise.resolve();
  },
  round: async (engine) => await Promise.resolve(residentMiB(engine.processes())),
};

export const memory: Work = {
  name: 'memory',
  title: 'resident memory of all engine processes, 50 containers, at rest',
  unit: 'MiB',
  bar: 0.4,
  rounds: 3,
  prepare: async (engine: BenchEngine) => {
    for (const name of names) await cli(engine, ['run', '-d', '--name', name, image, 'sleep', '3600']);
    await delay(restMs);
    return async () => void (await cli(engine, ['rm', '-f', ...names]));
  },
  round: async (engine) => await Promise.resolve(residentMiB(engine.processes())),
};
