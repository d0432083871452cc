import type { CliContext } from '../context.ts';
import { CliError, type Command, defineCommand, describeError, noArgs, string } from '../framework/index.ts';
import { inspectFormatHelp } from '../output/format-help.ts';
import { alignTabs } from '../output/tabwriter.ts';
import { type ClientInfo, clientInfo } from './client-info.ts';

interface Component {
  readonly Name: string;
  readonly Version: string;
  readonly Details?: Readonly<Record<string, string>> | null;
}

/** Answer of `GET /version`. */
interface ServerVersion {
  readonly Platform?: { readonly Name: string };
  readonly Components?: readonly Component[] | null;
  readonly Version: string;
  readonly ApiVersion: string;
  readonly MinAPIVersion?: string;
  readonly GitCommit?: string;
  readonly GoVersion?: string;
  readonly Os: string;
  readonly Arch: string;
  readonly KernelVersion?: string;
  readonly Experimental?: boolean;
  readonly BuildTime?: string;
}

export const command: Command = defineCommand({
  usage: '[OPTIONS]',
  args: noArgs,
  flags: { format: string(inspectFormatHelp, { short: 'f' }) },
  async run(ctx, { flags }) {
    const render = flags.format === '' ? undefined : await templateRenderer(flags.format);
    let server: ServerVersion | undefined;
    let failure: unknown;
    const client = await ctx.client();
    try {
      server = await client.get<ServerVersion>('/version');
    } catch (error) {
      failure = error;
    }
    const own = clientInfo(ctx);
    if (render) ctx.out(`${orBlankLine(ctx, () => render(own, client.apiVersion, server))}\n`);
    else ctx.out(alignTabs(versionText(own, client.apiVersion, server), { minWidth: 20, padding: 1 }));
    if (failure !== undefined) throw new CliError(describeError(failure, ctx.program), 1, { cause: failure });
  },
});

/** A line per fact, names and values apart by tabs; facts nobody knows are left out. */
function versionText(own: ClientInfo, apiVersion: string, server: ServerVersion | undefined): string {
  const downgraded = apiVersion === own.DefaultAPIVersion ? '' : ` (downgraded from ${own.DefaultAPIVersion})`;
  const lines = facts(' ', [
    ['Version', own.Version],
    ['API version', apiVersion + downgraded],
    ['Runtime', own.GoVersion],
    ['Git commit', own.GitCommit],
    ['Built', own.BuildTime],
    ['OS/Arch', `${own.Os}/${own.Arch}`],
    ['Context', own.Context],
  ]);
  return `Client:\n${lines}${server ? `\n${serverText(server)}` : ''}`;
}

function facts(indent: string, pairs: readonly (readonly [string, string | undefined])[]): string {
  return pairs
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([name, value]) => `${indent}${name}:\t${value ?? ''}\n`)
    .join('');
}

function serverText(server: ServerVersion): string {
  const platform = server.Platform?.Name ?? '';
  const title = platform === '' ? 'Server:' : `Server: ${platform}`;
  return `${title}\n${componentsOf(server).map(componentText).join('')}`;
}

function componentsOf(server: ServerVersion): readonly Component[] {
  const components = server.Components ?? [];
  if (components.some(({ Name }) => Name === 'Engine')) return components;
  const Details = {
    ApiVersion: server.ApiVersion,
    MinAPIVersion: server.MinAPIVersion ?? '',
    Os: server.Os,
    Arch: server.Arch,
  };
  return [...components, { Name: 'Engine', Version: server.Version, Details }];
}

function componentText({ Name, Version, Details }: Component): string {
  const details = Details ?? {};
  if (Name !== 'Engine') {
    const rest = Object.keys(details)
      .sort()
      .map((key) => `  ${key}:\t${details[key] ?? ''}\n`);
    return ` ${Name}:\n  Version:\t${Version}\n${rest.join('')}`;
  }
  return ` ${Name}:\n${facts('  ', [
    ['Version', Version],
    ['API version', `${details['ApiVersion'] ?? ''} (minimum version ${details['MinAPIVersion'] ?? ''})`],
    ['Go version', details['GoVersion']],
    ['Git commit', details['GitCommit']],
    ['Built', ansiDate(details['BuildTime'] ?? '')],
    ['OS/Arch', `${details['Os'] ?? ''}/${details['Arch'] ?? ''}`],
    ['Experimental', details['Experimental']],
  ])}`;
}

/** RFC 3339 as `Thu May  7 21:09:36 2026`; other texts as they are. */
function ansiDate(text: string): string {
  const date = new Date(text);
  if (!/^\d{4}-\d\d-\d\dT/.test(text) || Number.isNaN(date.getTime())) return text;
  const [weekday = '', , month = '', year = '', time = ''] = date.toUTCString().replace(',', '').split(' ');
  return `${weekday} ${month} ${String(date.getUTCDate()).padStart(2)} ${time} ${year}`;
}

/** Docker ends the line even when the template fails. */
function orBlankLine(ctx: CliContext, render: () => string): string {
  try {
    return render();
  } catch (error) {
    ctx.out('\n');
    throw error;
  }
}

type Renderer = (own: ClientInfo, apiVersion: string, server: ServerVersion | undefined) => string;

async function templateRenderer(format: string): Promise<Renderer> {
  const { asGoStruct, executeTemplate, GoMap, parseTemplate, standardFunctions, toGoValue } =
    await import('../templates/index.ts');
  try {
    const text = format === 'json' ? '{{json .}}' : format;
    const template = parseTemplate(text, new Set(standardFunctions.keys()), 'version');
    return (own, apiVersion, server) => {
      const client = asGoStruct(toGoValue({ ...own, ApiVersion: apiVersion }), 'system.clientVersion');
      const shown = server && { ...server, Components: componentsOf(server).map(withReadableDate) };
      const serverValue = shown ? asGoStruct(toGoValue(shown), 'system.serverVersion') : null;
      const data = new GoMap(
        new Map([
          ['Client', client],
          ['Server', serverValue],
        ]),
        { structName: 'system.versionInfo' },
      );
      return executeTemplate(template, data, { functions: standardFunctions });
    };
  } catch (error) {
    throw new CliError(`template parsing error: ${error instanceof Error ? error.message : String(error)}`, 64);
  }
}

function withReadableDate(component: Component): Component {
  const { Details } = component;
  if (component.Name !== 'Engine' || !Details?.['BuildTime']) return component;
  return { ...component, Details: { ...Details, BuildTime: ansiDate(Details['BuildTime']) } };
}
