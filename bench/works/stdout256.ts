import { cli, image } from '../engines/engine.ts';
import { timeMs } from '../measure.ts';
import type { Work } from '../work.ts';

const line = 'The quick brown fox jumps over the lazy dog, and does so again on the next line.';

export const stdout256: Work = {
  name: 'stdout256',
  title: '256 MiB on the standard output of an attached container',
  unit: 'ms',
  bar: 0.3,
  rounds: 3,
  round: async (engine) =>
    await timeMs(
      async () => await cli(engine, ['run', '--rm', image, 'sh', '-c', `yes "${line}" | head -c 268435456`]),
    ),
};
