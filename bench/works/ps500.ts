import { cli, image } from '../engines/engine.ts';
import { timeMs } from '../measure.ts';
import type { Work } from '../work.ts';

const names = Array.from({ length: 500 }, (_, index) => `bench-ps-${index}`);
/** As many creates at a time as keep two cores busy. */
const atOnce = 8;

export const ps500: Work = {
  name: 'ps500',
  title: 'ps -a with 500 containers',
  unit: 'ms',
  rounds: 15,
  prepare: async (engine) => {
    const left = [...names];
    const worker = async (): Promise<void> => {
      for (let name = left.pop(); name !== undefined; name = left.pop()) {
        await cli(engine, ['create', '--name', name, image, 'true']);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
    return async () => void (await cli(engine, ['rm', '-f', ...names]));
  },
  round: async (engine) => await timeMs(async () => await cli(engine, ['ps', '-a'])),
};
