import { cli, image } from '../engines/engine.ts';
import { timeMs } from '../measure.ts';
import type { Work } from '../work.ts';

const names = Array.from({ length: 50 }, (_, index) => `bench-parallel-${index}`);

export const parallel50: Work = {
  name: 'parallel50',
  title: 'run -d of 50 at once, until the last is up',
  unit: 'ms',
  bar: 0.3,
  rounds: 3,
  round: async (engine) => {
    const took = await timeMs(
      async () =>
        await Promise.all(
          names.map(async (name) => await cli(engine, ['run', '-d', '--name', name, image, 'sleep', '3600'])),
        ),
    );
    await cli(engine, ['rm', '-f', ...names]);
    return took;
  },
};
