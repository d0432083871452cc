import { isIPv4 } from 'node:net';
import { ApiError, type ApiClient } from '#client';
import {
  familiarReference,
  formatPlatform,
  type ImageReference,
  parseAnyReference,
  parsePlatform,
  withDefaultTag,
} from '#spec';
import type { CliContext } from '../../context.ts';
import { CliError } from '../../framework/errors.ts';
import type { ContainerRequest } from '../../run-options/container-options.ts';
import { dependsOnApiVersion, forApiVersion } from '../../run-options/for-api-version.ts';
import { terminalSize } from '../../terminal/size.ts';
import { addApiSocket } from './api-socket.ts';
import { takeCidFile } from './cid-file.ts';
import { pullImage } from './pull-image.ts';

/** How to make a container, beside what it is to be. */
export interface CreateOptions {
  readonly name: string;
  readonly platform: string;
  /** `always`, `missing` or `never`; empty is like `never`. */
  readonly pull: string;
  readonly quiet: boolean;
  readonly useApiSocket: boolean;
}

/**
 * Makes the container, pulling its image if the daemon has none and that is wanted. Warnings go to standard error.
 *
 * @returns Its ID.
 */
export async function createContainer(
  ctx: CliContext,
  client: ApiClient,
  request: ContainerRequest,
  options: CreateOptions,
): Promise<string> {
  using cidFile = takeCidFile(request.hostConfig.ContainerIDFile);
  const image = imageReference(request.config.Image);
  const platform = platformOf(options.platform);
  const handCredentials = options.useApiSocket ? await addApiSocket(ctx, client, request) : undefined;
  const pull = async (): Promise<void> => {
    if (!image) return;
    await pullImage(ctx, client, image, options);
  };
  if (options.pull === 'always') await pull();
  request.hostConfig.ConsoleSize = terminalSize(ctx.io);
  const create = async (): Promise<CreateAnswer> => sendCreate(client, request, options.name, platform);
  let answer: CreateAnswer;
  try {
    answer = await create();
  } catch (error) {
    const missing = error instanceof ApiError && error.status === 404;
    if (!missing || !image || options.pull !== 'missing') throw error;
    if (!options.quiet) ctx.err(`Unable to find image '${familiarReference(image)}' locally\n`);
    await pull();
    answer = await create();
  }
  for (const warning of [...(answer.Warnings ?? []), ...dnsWarnings(request.hostConfig.Dns ?? [])]) {
    ctx.err(`WARNING: ${warning}\n`);
  }
  cidFile.write(answer.Id);
  await handCredentials?.(answer.Id);
  return answer.Id;
}

/** The name in full; undefined for an ID, which nothing can be pulled by. */
function imageReference(text: string): ImageReference | undefined {
  const parsed = parseAnyReference(text);
  return parsed.kind === 'named' ? withDefaultTag(parsed.reference) : undefined;
}

function platformOf(text: string): string {
  if (text === '') return '';
  try {
    return formatPlatform(parsePlatform(text));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CliError(`error parsing specified platform: ${why}`, 1, { cause: error });
  }
}

interface CreateAnswer {
  Id: string;
  Warnings: string[] | null;
}

async function sendCreate(
  client: ApiClient,
  request: ContainerRequest,
  name: string,
  platform: string,
): Promise<CreateAnswer> {
  if (dependsOnApiVersion(request)) await client.negotiate();
  const query = { name: name === '' ? undefined : name, platform: platform === '' ? undefined : platform };
  const { config, hostConfig, networkingConfig } = forApiVersion(request, client.apiVersion);
  const json = { ...config, HostConfig: hostConfig, NetworkingConfig: networkingConfig };
  return client.post<CreateAnswer>('/containers/create', query, { json });
}

function dnsWarnings(servers: readonly string[]): string[] {
  const loopback = servers.find((server) => (isIPv4(server) ? server.startsWith('127.') : server === '::1'));
  return loopback === undefined ? [] : [`Localhost DNS (${loopback}) may fail in containers.`];
}

/** @throws {@link CliError} for an unknown `--pull`. */
export function checkPullOption(value: string): void {
  if (['', 'always', 'missing', 'never'].includes(value)) return;
  throw new CliError(`invalid pull option: '${value}': must be one of "always", "missing" or "never"`);
}
