import { cli, image } from '../engines/engine.ts';
import { timeMs } from '../measure.ts';
import type { Work } from '../work.ts';

const name = 'bench-ports';
const ports: Readonly<Record<string, string>> = { berth: '18081', docker: '18082', podman: '18083' };

export const portRun: Work = {
  name: 'port-run',
  title: 'run --rm on a network of a user with a published port',
  unit: 'ms',
  bar: 0.3,
  rounds: 15,
  prepare: async (engine) => {
    await cli(engine, ['network', 'create', name]);
    return async () => await cli(engine, ['network', 'rm', name]).then(() => undefined);
  },
  round: async (engine) => {
    const publish = `${ports[engine.name] ?? '18084'}:80`;
    return await timeMs(async () => await cli(engine, ['run', '--rm', '--net', name, '-p', publish, image, 'true']));
  },
};
