import { statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { cli, image } from '../engines/engine.ts';
import { timeMs } from '../measure.ts';
import type { Work } from '../work.ts';

const line = 'The quick brown fox jumps over the lazy dog, and does so again on the next line.';
const outputBytes = 268_435_456;
/** What a line has at least around it in the file. */
const aroundBytes = 60;
const wholeBytes = outputBytes + (outputBytes / (line.length + 1)) * aroundBytes;
const unchangedMs = 400;

/** Detached: what a log costs by itself. Ends when the file has it all. */
export const jsonLog: Work = {
  name: 'json-log',
  title: '256 MiB of output until they are in the json-file',
  unit: 'ms',
  bar: 0.4,
  rounds: 3,
  fits: ({ name }) => name !== 'podman',
  round: async (engine) => {
    const script = `yes "${line}" | head -c ${outputBytes}`;
    let id = '';
    let idleMs = 0;
    const ms = await timeMs(async () => {
      const limit = ['--log-opt', 'max-size=2g'];
      ({ stdout: id } = await cli(engine, ['run', '--detach', ...limit, image, 'sh', '-c', script], { capture: true }));
      id = id.trim();
      await cli(engine, ['wait', id]);
      const { stdout } = await cli(engine, ['inspect', '--format', '{{.LogPath}}', id], { capture: true });
      idleMs = await untilWhole(stdout.trim());
    });
    await cli(engine, ['rm', '--force', id]);
    return ms - idleMs;
  },
};

/** Until the file is long enough and grows no more; how much of the time was spent on making sure of that. */
async function untilWhole(path: string): Promise<number> {
  let size = 0;
  let since = performance.now();
  for (;;) {
    const now = statSync(path).size;
    if (now !== size) {
      size = now;
      since = performance.now();
    } else if (size > wholeBytes && performance.now() - since > unchangedMs) {
      return performance.now() - since;
    }
    await delay(20);
  }
}
