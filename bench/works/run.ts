import { cli, image } from '../engines/engine.ts';
import { timeMs } from '../measure.ts';
import type { Work } from '../work.ts';

export const run: Work = {
  name: 'run',
  title: 'run --rm busybox true',
  unit: 'ms',
  bar: 0.3,
  rounds: 15,
  round: async (engine) => await timeMs(async () => await cli(engine, ['run', '--rm', image, 'true'])),
};
