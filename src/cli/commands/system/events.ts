import { encodeFilters, jsonLineTexts } from '#client';
import type { CliContext } from '../../context.ts';
import { CliError, type Command, defineCommand, filter, noArgs, string } from '../../framework/index.ts';
import { inspectFormatHelp } from '../../output/format-help.ts';
import { localRfc3339 } from '../../output/time.ts';
import { parseTimestamp } from '../../run-options/timestamp.ts';

interface EventLine {
  readonly Type: string;
  readonly Action: string;
  readonly Actor?: { readonly ID?: string; readonly Attributes?: Readonly<Record<string, string>> | null };
  readonly time?: number;
}

export const command: Command = defineCommand({
  usage: '[OPTIONS]',
  args: noArgs,
  flags: {
    filter: filter(undefined, { short: 'f' }),
    format: string(inspectFormatHelp),
    since: string('Show all events created since timestamp'),
    until: string('Stream events until this timestamp'),
  },
  async run(ctx, { flags }) {
    const render = flags.format === '' ? formatEvent : await templateRenderer(flags.format);
    const client = await ctx.client();
    const response = await client.send({
      method: 'GET',
      path: '/events',
      query: {
        since: flags.since === '' ? undefined : timestamp(flags.since),
        until: flags.until === '' ? undefined : timestamp(flags.until),
        filters: encodeFilters(flags.filter),
      },
    });
    await printEvents(ctx, response, render);
  },
});

/** Unlike elsewhere, Docker does not name the flag when the time is no good. */
function timestamp(text: string): string {
  try {
    return parseTimestamp('since', text, Date.now());
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    throw new CliError(error.message.replace('invalid value for "since": ', ''), 1, { cause: error });
  }
}

async function printEvents(
  ctx: CliContext,
  source: AsyncIterable<Uint8Array>,
  render: (json: string) => string,
): Promise<void> {
  for await (const json of jsonLineTexts(source)) ctx.out(`${render(json)}\n`);
}

/** `2026-… container start <id> (image=busybox, name=x)`. */
function formatEvent(json: string): string {
  /* oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the daemon's answers are trusted to have their shape */
  const event = JSON.parse(json) as EventLine;
  const attributes = Object.entries(event.Actor?.Attributes ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`);
  const tail = attributes.length === 0 ? '' : ` (${attributes.join(', ')})`;
  return `${eventTime(json, event)}${event.Type} ${event.Action} ${event.Actor?.ID ?? ''}${tail}`;
}

/** The time with all its nanoseconds, which a JavaScript number cannot hold: taken from the text. */
function eventTime(json: string, event: EventLine): string {
  const nano = /"timeNano":\s*(\d+)\}?\s*$/.exec(json)?.[1] ?? /"timeNano":\s*(\d+)/.exec(json)?.[1];
  if (nano !== undefined && nano !== '0') {
    const seconds = Number(nano.slice(0, -9));
    return `${localRfc3339(seconds, `.${nano.slice(-9)}`)} `;
  }
  return event.time ? `${localRfc3339(event.time, '.000000000')} ` : '';
}

async function templateRenderer(format: string): Promise<(json: string) => string> {
  const { asGoStruct, executeTemplate, parseGoJson, parseTemplate, standardFunctions } =
    await import('../../templates/index.ts');
  try {
    const template = parseTemplate(format === 'json' ? '{{json .}}' : format, new Set(standardFunctions.keys()));
    const render = (json: string): string =>
      executeTemplate(template, asGoStruct(parseGoJson(json), 'events.Message', '*events.Message'), {
        functions: standardFunctions,
      });
    render('{}');
    return render;
  } catch (error) {
    throw new CliError(`Error parsing format: ${error instanceof Error ? error.message : String(error)}`, 64);
  }
}
