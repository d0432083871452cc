import { writeFileSync } from 'node:fs';
import { type ApiResponse, jsonLines } from '#client';
import {
  BUILD_EVENT_ID,
  BUILD_EXTRAS_HEADER,
  BUILD_PARTS_TYPE,
  type BuildEventLine,
  type BuildExtras,
  encodeBuildParts,
  type OutgoingBuildPart,
  type ProgressLine,
  type Ulimit,
} from '#spec';
import { type BuildInput, namedContextPart, openInput, secretPart } from '../../build/build-input.ts';
import { PlainProgress } from '../../build/plain-progress.ts';
import { readCredentials } from '../../config/credentials.ts';
import type { CliContext } from '../../context.ts';
import {
  bool,
  bytes,
  CliError,
  type Command,
  custom,
  defineCommand,
  exactArgs,
  int,
  list,
  string,
} from '../../framework/index.ts';
import { keyValues } from '../../framework/key-values.ts';
import { ProgressDisplay } from '../../output/progress.ts';
import { addUlimit } from '../../run-options/limits.ts';
import { withProxyVariables } from '../../run-options/proxy-env.ts';
import { parseSwapBytes } from '../../run-options/size.ts';

const flags = {
  'add-host': list('Add a custom host-to-IP mapping ("host:ip")'),
  'build-arg': list('Set build-time variables'),
  'build-context': list('Additional build contexts (e.g., name=path)'),
  'cache-from': list('Images to consider as cache sources'),
  'cgroup-parent': string('Set the parent cgroup for the "RUN" instructions during build'),
  check: bool('Only check the Dockerfile, without building'),
  compress: bool('Compress the build context using gzip', { hidden: true }),
  'cpu-period': int('Limit the CPU CFS (Completely Fair Scheduler) period'),
  'cpu-quota': int('Limit the CPU CFS (Completely Fair Scheduler) quota'),
  'cpu-shares': int('CPU shares (relative weight)', { short: 'c' }),
  'cpuset-cpus': string('CPUs in which to allow execution (0-3, 0,1)'),
  'cpuset-mems': string('MEMs in which to allow execution (0-3, 0,1)'),
  'disable-content-trust': bool('Skip image verification', { initial: true, hidden: true }),
  file: string('Name of the Dockerfile (default "PATH/Dockerfile")', { short: 'f' }),
  'force-rm': bool('Always remove intermediate containers'),
  iidfile: string('Write the image ID to a file'),
  isolation: string('Container isolation technology', { hidden: true }),
  label: list('Set metadata for an image'),
  memory: bytes('Memory limit', { short: 'm' }),
  'memory-swap': custom('Swap limit equal to memory plus swap: -1 to enable unlimited swap', {
    type: 'bytes',
    initial: 0,
    set: parseSwapBytes,
  }),
  'metadata-file': string('Write build result metadata to a file'),
  network: string('Set the networking mode for the "RUN" instructions during build', { initial: 'default' }),
  'no-cache': bool('Do not use cache when building the image'),
  'no-cache-filter': list('Do not cache specified stages'),
  platform: string('Set platform if server is multi-platform capable'),
  progress: string('Set type of progress output ("auto", "plain", "quiet", "rawjson")', { initial: 'auto' }),
  pull: bool('Always attempt to pull a newer version of the image'),
  quiet: bool('Suppress the build output and print image ID on success', { short: 'q' }),
  rm: bool('Remove intermediate containers after a successful build', { initial: true }),
  secret: list('Secret to expose to the build ("id=mysecret[,src=/local/secret]")'),
  'security-opt': list('Security options'),
  'shm-size': bytes('Size of "/dev/shm"'),
  squash: bool('Squash newly built layers into a single new layer', { hidden: true }),
  tag: list('Name and optionally a tag (format: "name:tag")', { short: 't' }),
  target: string('Set the target build stage to build'),
  ulimit: custom<readonly Ulimit[]>('Ulimit options', {
    type: 'ulimit',
    initial: [],
    set: addUlimit,
    defaultText: '[]',
  }),
} as const;

export const command: Command = defineCommand({
  usage: '[OPTIONS] PATH | URL | -',
  args: exactArgs(1),
  flags,
  async run(ctx, { flags: given, args }) {
    const display = displayOf(given.progress, given.quiet);
    const input = await openInput(ctx, args[0] ?? '', given.file);
    const client = await ctx.client();
    const extras: BuildExtras = {
      events: true,
      check: given.check,
      noCacheFilter: given['no-cache-filter'],
    };
    const parts = [
      ...given.secret.map((text) => secretPart(text, ctx.env)),
      ...given['build-context'].map(namedContextPart),
    ];
    const response = await client.send({
      method: 'POST',
      path: '/build',
      query: {
        t: given.tag,
        dockerfile: input.dockerfile,
        remote: input.remote === '' ? undefined : input.remote,
        nocache: given['no-cache'],
        pull: given.pull,
        rm: given.rm,
        forcerm: given['force-rm'],
        squash: given.squash,
        target: given.target,
        platform: given.platform,
        networkmode: given.network,
        memory: given.memory,
        memswap: given['memory-swap'],
        cpushares: given['cpu-shares'],
        cpuperiod: given['cpu-period'],
        cpuquota: given['cpu-quota'],
        cpusetcpus: given['cpuset-cpus'],
        cpusetmems: given['cpuset-mems'],
        cgroupparent: given['cgroup-parent'],
        shmsize: given['shm-size'],
        extrahosts: given['add-host'],
        securityopt: given['security-opt'],
        ulimits: given.ulimit.length === 0 ? undefined : JSON.stringify(given.ulimit),
        cachefrom: given['cache-from'].length === 0 ? undefined : JSON.stringify(given['cache-from']),
        labels: given.label.length === 0 ? undefined : JSON.stringify(keyValues(given.label)),
        buildargs: JSON.stringify(buildArgs(ctx, given['build-arg'], client.host)),
      },
      headers: { [BUILD_EXTRAS_HEADER]: JSON.stringify(extras), ...(await registryConfig(ctx)) },
      ...body(input, parts),
    });
    const { imageId, warnings } = await show(ctx, response, display);
    if (given.check) return endCheck(ctx, warnings);
    if (given.iidfile !== '') writeFileSync(given.iidfile, imageId);
    if (given['metadata-file'] !== '') {
      const names = given.tag.length === 0 ? {} : { 'image.name': given.tag.join(',') };
      const metadata = { 'containerimage.config.digest': imageId, ...names };
      writeFileSync(given['metadata-file'], `${JSON.stringify(metadata, undefined, 2)}\n`);
    }
    if (given.quiet) ctx.out(`${imageId}\n`);
  },
});

type Display = 'plain' | 'quiet' | 'rawjson';

function displayOf(progress: string, quiet: boolean): Display {
  if (quiet) return 'quiet';
  if (progress === 'auto' || progress === 'plain' || progress === 'tty') return 'plain';
  if (progress === 'quiet' || progress === 'rawjson') return progress;
  throw new CliError(`invalid progress mode ${progress}`);
}

/** An archive alone goes as Docker's clients send it; whatever else there is goes in parts. */
function body(
  { context, ownDockerfile }: BuildInput,
  parts: readonly OutgoingBuildPart[],
): { stream?: AsyncIterable<Uint8Array>; contentType?: string } {
  if (parts.length === 0 && !ownDockerfile) {
    return context ? { stream: context, contentType: 'application/x-tar' } : {};
  }
  const all = [
    ...parts,
    ...(ownDockerfile ? [{ header: { part: 'dockerfile' } as const, content: once(ownDockerfile) }] : []),
    ...(context ? [{ header: { part: 'context', name: '' } as const, content: context }] : []),
  ];
  return { stream: encodeBuildParts(all), contentType: BUILD_PARTS_TYPE };
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer, void, void> {
  yield bytes;
}

/** `NAME=value`, or a name alone for the value it has here; the user's proxies where they are not given. */
function buildArgs(ctx: CliContext, given: readonly string[], host: string): Record<string, string | null> {
  return Object.fromEntries(
    withProxyVariables(given, ctx.config.proxies, host).map((text) => {
      const cut = text.indexOf('=');
      return cut < 0 ? [text, ctx.env[text] ?? null] : [text.slice(0, cut), text.slice(cut + 1)];
    }),
  );
}

/** All stored credentials, as base images may come from any registry. */
async function registryConfig(ctx: CliContext): Promise<Record<string, string>> {
  const keys = new Set([...Object.keys(ctx.config.auths ?? {}), ...Object.keys(ctx.config.credHelpers ?? {})]);
  const found = await Promise.all(
    [...keys].map(async (key) => [key, await readCredentials(ctx.config, key).catch(() => undefined)] as const),
  );
  const all = Object.fromEntries(found.filter(([, credentials]) => credentials !== undefined));
  const text = Buffer.from(JSON.stringify(all)).toString('base64');
  return { 'x-registry-config': text.replaceAll('+', '-').replaceAll('/', '_') };
}

interface Shown {
  readonly imageId: string;
  readonly warnings: readonly string[];
}

/** Shows a build until it ends. @throws CliError with its error, and the code of the command that failed. */
async function show(ctx: CliContext, response: ApiResponse, display: Display): Promise<Shown> {
  const progress = new PlainProgress();
  const lines = new ProgressDisplay(false, 80);
  let imageId = '';
  let held = '';
  const print = (text: string): void => {
    if (display === 'quiet') held += text;
    else ctx.err(text);
  };
  for await (const line of jsonLines<ProgressLine>(response)) {
    if (display === 'rawjson') ctx.err(`${JSON.stringify(line)}\n`);
    const failure = line.errorDetail?.message ?? line.error ?? '';
    if (failure !== '') throw new CliError(`${held}${failure}`, line.errorDetail?.code || 1);
    const { aux } = line;
    const isEvent = line.id === BUILD_EVENT_ID;
    if (!isEvent && typeof aux === 'object' && aux !== null && 'ID' in aux) imageId = String(aux.ID);
    if (display === 'rawjson') continue;
    /* oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own daemon's, told by its id */
    if (isEvent) print(progress.render(aux as BuildEventLine));
    else if (aux === undefined) print(lines.render(line));
  }
  const { warnings } = progress;
  if (display === 'plain' && warnings.length > 0) {
    const count = `${warnings.length} warning${warnings.length > 1 ? 's' : ''} found (use --check to see them alone):`;
    ctx.err(` ${count}\n${warnings.map((warning) => ` - ${warning}\n`).join('')}`);
  }
  return { imageId, warnings };
}

function endCheck(ctx: CliContext, warnings: readonly string[]): void {
  if (warnings.length === 0) {
    ctx.out('Check complete, no warnings found.\n');
    return;
  }
  const count = `${warnings.length} warning${warnings.length > 1 ? 's have' : ' has'} been found!`;
  throw new CliError(`Check complete, ${count}`);
}
