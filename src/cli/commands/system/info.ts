import { ConnectionError } from '#client';
import { CliError, type Command, defineCommand, describeError, noArgs, string } from '../../framework/index.ts';
import { inspectFormatHelp } from '../../output/format-help.ts';
import { clientInfo } from '../client-info.ts';
import type { SystemInfo } from './info-text.ts';

export const command: Command = defineCommand({
  usage: '[OPTIONS]',
  args: noArgs,
  flags: { format: string(inspectFormatHelp, { short: 'f' }) },
  async run(ctx, { flags }) {
    const render = flags.format === '' ? undefined : await templateRenderer(flags.format);
    const client = await ctx.client();
    const own = clientInfo(ctx);
    let server: SystemInfo | undefined;
    let failure: unknown;
    try {
      server = await client.get<SystemInfo>('/info');
    } catch (error) {
      failure = error;
    }
    const serverErrors =
      failure === undefined || failure instanceof ConnectionError ? [] : [describeError(failure, ctx.program)];
    const ClientInfo = { Debug: ctx.globals.debug, ...own, Plugins: [], Warnings: null };
    if (render) {
      if (serverErrors.length > 0) ctx.err(`${serverErrors.join('\n')}\n`);
      ctx.out(
        `${render({ ...server, ...(serverErrors.length > 0 ? { ServerErrors: serverErrors } : {}), ClientInfo })}\n`,
      );
    } else {
      const { clientText, serverText } = await import('./info-text.ts');
      ctx.out(`${clientText(own, ctx.globals.debug)}\nServer:\n`);
      if (server) {
        ctx.out(`${serverText(server, ctx.globals.debug)}\n`);
        ctx.err((server.Warnings ?? []).map((warning) => `${warning}\n`).join(''));
      }
      ctx.err(serverErrors.map((error) => `ERROR: ${error}\n`).join(''));
      if (serverErrors.length > 0) throw new CliError('errors pretty printing info');
    }
    if (failure instanceof ConnectionError) throw failure;
  },
});

async function templateRenderer(format: string): Promise<(info: object) => string> {
  const { executeTemplate, GoMap, parseTemplate, standardFunctions, toGoValue } =
    await import('../../templates/index.ts');
  try {
    const text = format === 'json' ? '{{json .}}' : format;
    const template = parseTemplate(text, new Set(standardFunctions.keys()));
    return (info) => {
      const value = toGoValue(info);
      const entries = value instanceof GoMap ? value.entries : new Map();
      const data = new GoMap(entries, { structName: 'system.dockerInfo' });
      return executeTemplate(template, data, { functions: standardFunctions });
    };
  } catch (error) {
    throw new CliError(`template parsing error: ${error instanceof Error ? error.message : String(error)}`, 64);
  }
}
