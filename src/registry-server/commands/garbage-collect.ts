import type { CollectedGarbage } from '../storage/collect.ts';
import { parseCommandLine, usageError } from './command-line.ts';
import { commonFlags, commonHelp, configFrom } from './config-flags.ts';
import { performTask } from './perform-task.ts';

/** `berth registry garbage-collect`. */
export async function run(args: readonly string[]): Promise<number> {
  const line = parseCommandLine(args, { values: [...commonFlags, 'grace'], switches: ['delete-untagged'] });
  if (line.switches.has('help')) {
    process.stdout.write(
      `\nUsage:  berth registry garbage-collect [OPTIONS]\n\nRemove what no manifest needs, also while the registry runs\n\nOptions:\n${commonHelp}      --delete-untagged  Remove manifests that no tag leads to\n      --grace SECONDS    Keep what was pushed within this time (default: collect.graceSeconds)\n`,
    );
    return 0;
  }
  const config = configFrom(line);
  const grace = line.values.get('grace') ?? String(config.collect.graceSeconds);
  if (!/^\d{1,9}$/.test(grace)) throw usageError(`--grace wants seconds, not "${grace}"`);
  const collected = (await performTask(config, {
    task: 'collect',
    options: {
      deleteUntagged: line.switches.has('delete-untagged') || config.collect.deleteUntagged,
      graceMs: Number(grace) * 1000,
    },
  })) as CollectedGarbage;
  process.stdout.write(
    `manifests removed: ${collected.manifests}\nblob links removed: ${collected.blobLinks}\nblobs removed: ${collected.blobs}\nbytes freed: ${collected.freedBytes}\n`,
  );
  return 0;
}
