import { askMany } from '../dns-load.ts';
import { cli, image } from '../engines/engine.ts';
import { timeMs } from '../measure.ts';
import type { Work } from '../work.ts';

const name = 'bench-dns';
const questions = 20_000;

export const dns: Work = {
  name: 'dns',
  title: `${questions} questions for a container's name at 127.0.0.11, 32 at a time`,
  unit: 'ms',
  bar: 0.5,
  rounds: 15,
  fits: (engine) => engine.name !== 'podman',
  prepare: async (engine) => {
    await cli(engine, ['network', 'create', name]);
    await cli(engine, ['run', '-d', '--name', name, '--net', name, image, 'sleep', '3600']);
    return async () => {
      await cli(engine, ['rm', '-f', name]);
      await cli(engine, ['network', 'rm', name]);
    };
  },
  round: async (engine) => {
    const { stdout } = await cli(engine, ['inspect', '-f', '{{.State.Pid}}', name], { capture: true });
    return await timeMs(async () => askMany(Number(stdout), name, questions));
  },
};
