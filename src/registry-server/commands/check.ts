import type { CheckReport } from '../storage/check.ts';
import { parseCommandLine } from './command-line.ts';
import { commonFlags, commonHelp, configFrom } from './config-flags.ts';
import { performTask } from './perform-task.ts';

/** `berth registry check`: exit code 1 when something is wrong. */
export async function run(args: readonly string[]): Promise<number> {
  const line = parseCommandLine(args, { values: commonFlags, switches: ['content', 'repair'] });
  if (line.switches.has('help')) {
    process.stdout.write(
      `\nUsage:  berth registry check [OPTIONS]\n\nCompare database, files and manifests; exit code 1 when something is wrong\n\nOptions:\n${commonHelp}      --content          Read every blob and compare its hash\n      --repair           Take out what is missing or damaged, so that it can be pushed again\n`,
    );
    return 0;
  }
  const report = (await performTask(configFrom(line), {
    task: 'check',
    options: { content: line.switches.has('content'), repair: line.switches.has('repair') },
  })) as CheckReport;
  for (const problem of report.problems) process.stdout.write(`${problem}\n`);
  process.stdout.write(`${report.manifests} manifests, ${report.blobs} blobs, ${report.problems.length} problems\n`);
  return report.problems.length === 0 ? 0 : 1;
}
