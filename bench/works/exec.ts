import { cli, image } from '../engines/engine.ts';
import { timeMs } from '../measure.ts';
import type { Work } from '../work.ts';

const name = 'bench-exec';

export const exec: Work = {
  name: 'exec',
  title: 'exec true in a running container',
  unit: 'ms',
  bar: 0.4,
  rounds: 20,
  prepare: async (engine) => {
    await cli(engine, ['run', '-d', '--name', name, image, 'sleep', '3600']);
    return async () => void (await cli(engine, ['rm', '-f', name]));
  },
  round: async (engine) => await timeMs(async () => await cli(engine, ['exec', name, 'true'])),
};
