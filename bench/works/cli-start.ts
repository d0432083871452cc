import { type BenchEngine, cli } from '../engines/engine.ts';
import { timeMs } from '../measure.ts';
import type { Work } from '../work.ts';

/** The same engine, driven by the CLI that belongs to it. */
const byOwnCli = (engine: BenchEngine): BenchEngine => ({ ...engine, cli: engine.ownCli });

export const cliStart: Work = {
  name: 'cli-start',
  title: "start of the engine's own CLI: --version",
  unit: 'ms',
  bar: 1,
  rounds: 25,
  round: async (engine) => await timeMs(async () => await cli(byOwnCli(engine), ['--version'])),
};

export const cliPs: Work = {
  name: 'cli-ps',
  title: "the engine's own CLI: ps",
  unit: 'ms',
  bar: 1,
  rounds: 25,
  round: async (engine) => await timeMs(async () => await cli(byOwnCli(engine), ['ps'])),
};
