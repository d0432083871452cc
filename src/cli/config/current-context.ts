import type { CliContext } from '../context.ts';
import { CliError } from '../framework/errors.ts';

export const defaultContextName = 'default';

/**
 * The context in force. `-H` and `DOCKER_HOST` mean the default one, whose endpoint they are.
 *
 * @throws CliError when both `-H` and `-c` were given.
 */
export function currentContextName(ctx: CliContext): string {
  const { globals, env } = ctx;
  if (globals.context !== '' && globals.hosts.length > 0) {
    throw new CliError('conflicting options: cannot specify both --host and --context');
  }
  if (globals.context !== '') return globals.context;
  if (globals.hosts.length > 0 || env['DOCKER_HOST']) return defaultContextName;
  return env['DOCKER_CONTEXT'] || ctx.config.currentContext || defaultContextName;
}
