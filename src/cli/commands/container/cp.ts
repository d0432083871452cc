import { posix } from 'node:path';
import type { ApiClient } from '#client';
import type { CliContext } from '../../context.ts';
import { CopyProgress } from '../../copy/copy-progress.ts';
import { statOf, statPath } from '../../copy/path-stat.ts';
import {
  type CopySide,
  localDestination,
  localSource,
  resolveLocal,
  splitArgument,
  splitEntry,
} from '../../copy/paths.ts';
import { planCopy } from '../../copy/plan.ts';
import { packEntry, unpackInto } from '../../copy/tar-process.ts';
import { type Command, defineCommand, exactArgs } from '../../framework/command.ts';
import { CliError } from '../../framework/errors.ts';
import { bool } from '../../framework/flags.ts';
import { writeToFd } from '../../terminal/fd-writer.ts';

interface CopyRequest {
  container: string;
  from: string;
  to: string;
  followLink: boolean;
  keepOwners: boolean;
  quiet: boolean;
}

export const command: Command = defineCommand({
  usage: '[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|- (or SRC_PATH|- CONTAINER:DEST_PATH)',
  args: exactArgs(2),
  description: `Copy files and folders between a container and this machine

Use '-' as the source to read a tar archive from standard input and unpack it in a directory of the container.
Use '-' as the destination to write a tar archive of the container's source to standard output.`,
  flags: {
    archive: bool('Keep users and groups (copy all uid/gid information)', { short: 'a' }),
    'follow-link': bool('Follow a symbolic link in SRC_PATH', { short: 'L' }),
    quiet: bool('Show no progress. Without a terminal there is none anyway', { short: 'q' }),
  },
  async run(ctx, line) {
    const [source, destination] = line.args.map(splitArgument);
    if (line.args[0] === '') throw new CliError('source can not be empty');
    if (line.args[1] === '') throw new CliError('destination can not be empty');
    if (!source || !destination || (source.container === '' && destination.container === '')) {
      throw new CliError('must specify at least one container source');
    }
    if (source.container !== '' && destination.container !== '') {
      throw new CliError('copying between containers is not supported');
    }
    const request: CopyRequest = {
      container: source.container || destination.container,
      from: source.path,
      to: destination.path,
      followLink: line.flags['follow-link'],
      keepOwners: line.flags.archive,
      quiet: line.given('quiet') ? line.flags.quiet : !ctx.io.isTerminal('stdout'),
    };
    const client = await ctx.client();
    if (source.container === '') await copyIn(ctx, client, request);
    else await copyOut(ctx, client, request);
  },
});

/** The path a link in a container leads to. */
function linkedPath(path: string, target: string): string {
  return posix.isAbsolute(target) ? target : posix.join(splitEntry(path).directory, target);
}

async function copyOut(ctx: CliContext, client: ApiClient, request: CopyRequest): Promise<void> {
  const destination = request.to === '-' ? undefined : localDestination(resolveLocal(request.to));
  let path = request.from;
  let rebaseName: string | undefined;
  if (request.followLink) {
    const stat = await statPath(client, request.container, path);
    if (stat?.isSymlink === true) {
      const asked = posix.basename(path);
      path = linkedPath(path, stat.linkTarget);
      if (posix.basename(path) !== asked) rebaseName = asked;
    }
  }
  const response = await client.send({
    method: 'GET',
    path: `/containers/${encodeURIComponent(request.container)}/archive`,
    query: { path },
  });
  if (!destination) {
    for await (const chunk of response) await writeToFd(1, [chunk]);
    return;
  }
  const source: CopySide = { path, exists: true, isDirectory: statOf(response).isDirectory };
  const plan = planCopy(source, destination);
  const base = splitEntry(path).base;
  const rename = plan.rename ?? (rebaseName === undefined ? undefined : { from: base, to: rebaseName });
  const progress = new CopyProgress(ctx.io, 'Copying from container - ', request.quiet);
  await unpackInto(progress.count(response), { directory: plan.directory, ...(rename ? { rename } : {}) });
  progress.clear();
  if (!request.quiet) ctx.err(`Successfully copied ${progress.total} to ${resolveLocal(request.to)}\n`);
}

async function copyIn(ctx: CliContext, client: ApiClient, request: CopyRequest): Promise<void> {
  const destination = await containerDestination(client, request);
  const progress = new CopyProgress(ctx.io, 'Copying to container - ', request.quiet);
  let archive: AsyncIterable<Uint8Array> = ctx.io.stdin;
  let { path: directory } = destination;
  if (request.from === '-') {
    if (!destination.isDirectory) {
      throw new CliError(`destination "${request.container}:${request.to}" must be a directory`);
    }
  } else {
    const source = localSource(resolveLocal(request.from), request.followLink);
    const plan = planCopy(source, destination);
    const entry = splitEntry(source.path);
    const wanted = plan.rename?.to ?? source.rebaseName;
    directory = plan.directory;
    archive = packEntry(
      entry.directory,
      entry.base,
      wanted === undefined ? undefined : { from: entry.base, to: wanted },
    );
  }
  await upload(client, request, directory, progress.count(archive));
  progress.clear();
  if (!request.quiet) {
    ctx.err(`Successfully copied ${progress.total} to ${request.container}:${destination.path}\n`);
  }
}

async function containerDestination(client: ApiClient, request: CopyRequest): Promise<CopySide> {
  let path = request.to;
  let stat = await statPath(client, request.container, path);
  if (stat?.isSymlink === true) {
    path = linkedPath(path, stat.linkTarget);
    stat = await statPath(client, request.container, path);
  }
  if (stat?.isDevice === true) {
    const what = `destination "${request.container}:${request.to}"`;
    throw new CliError(`${what} must be a directory or a regular file: got a device`);
  }
  return { path, exists: stat !== undefined, isDirectory: stat?.isDirectory === true };
}

async function upload(
  client: ApiClient,
  request: CopyRequest,
  directory: string,
  stream: AsyncIterable<Uint8Array>,
): Promise<void> {
  const response = await client.send({
    method: 'PUT',
    path: `/containers/${encodeURIComponent(request.container)}/archive`,
    query: {
      path: directory,
      noOverwriteDirNonDir: 'true',
      copyUIDGID: request.keepOwners ? 'true' : undefined,
    },
    stream,
  });
  await response.discard();
}
