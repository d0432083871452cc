import { createLogger } from '#lib';
import { Registry } from '../registry.ts';
import { parseCommandLine } from './command-line.ts';
import { commonFlags, configFrom, commonHelp } from './config-flags.ts';

/** How long requests under way get at the end. */
const drainMs = 10_000;

/** `berth registry serve`: runs until SIGTERM or SIGINT. */
export async function run(args: readonly string[]): Promise<number> {
  const line = parseCommandLine(args, { values: [...commonFlags, 'listen'], switches: ['validate'] });
  if (line.switches.has('help')) {
    process.stdout.write(
      `\nUsage:  berth registry serve [OPTIONS]\n\nRun a registry\n\nOptions:\n${commonHelp}      --listen ADDRESS   Where to listen (default "127.0.0.1:5000")\n      --validate         Check the configuration and exit\n`,
    );
    return 0;
  }
  const config = configFrom(line);
  if (line.switches.has('validate')) {
    process.stdout.write('configuration OK\n');
    return 0;
  }
  const logger = createLogger(config.logLevel, undefined, config.logFormat);
  const stopped = Promise.withResolvers<NodeJS.Signals>();
  process.on('SIGTERM', stopped.resolve);
  process.on('SIGINT', stopped.resolve);
  process.on('unhandledRejection', (error) => logger.error('unhandled rejection', { error }));
  const registry = await Registry.open(config, logger);
  logger.info('registry is ready', { address: registry.address, root: config.root });
  const signal = await stopped.promise;
  logger.info('shutting down', { signal });
  await registry.close(drainMs);
  return 0;
}
