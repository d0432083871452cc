import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CliContext } from '../context.ts';
import { CliError } from '../framework/errors.ts';
import { fileError } from '../framework/files.ts';
import { parseBool } from '../framework/values.ts';
import { type ContextMeta, ContextStore } from './context-store.ts';
import { defaultContextName } from './current-context.ts';
import { defaultHost, normalizeHost } from './host.ts';

/** The user's contexts on disk. */
export function contextStore(ctx: CliContext): ContextStore {
  return new ContextStore(join(ctx.globals.configDir, 'contexts'));
}

/** The context nobody stores: what `-H` and `DOCKER_HOST` say, or the default socket. */
export function defaultContext(ctx: CliContext): ContextMeta {
  const given = ctx.globals.hosts[0] ?? ctx.env['DOCKER_HOST'] ?? '';
  const Host = given === '' ? defaultHost(ctx.program) : normalizeHost(given, ctx.globals.tls);
  return { Name: defaultContextName, Metadata: {}, Endpoints: { docker: { Host, SkipTLSVerify: false } } };
}

/** A context by name, the default one too. @throws CliError when there is none. */
export function getContext(ctx: CliContext, name: string): ContextMeta {
  return name === defaultContextName ? defaultContext(ctx) : contextStore(ctx).get(name);
}

const endpointKeys = ['from', 'host', 'ca', 'cert', 'key', 'skip-tls-verify'];

/** What `--docker` describes: an endpoint and its TLS files by name. */
export interface DescribedEndpoint {
  readonly endpoint: ContextMeta['Endpoints'][string];
  readonly tls: Readonly<Record<string, string>>;
}

/**
 * Makes an endpoint of `host=…,ca=…,cert=…,key=…,skip-tls-verify=…` or `from=…`.
 *
 * @throws CliError for unknown keys and unreadable files.
 */
export function describedEndpoint(ctx: CliContext, pairs: Readonly<Record<string, string>>): DescribedEndpoint {
  try {
    return describe(ctx, pairs);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CliError(`unable to create docker endpoint config: ${why}`, 1, { cause: error });
  }
}

function describe(ctx: CliContext, pairs: Readonly<Record<string, string>>): DescribedEndpoint {
  const unknown = Object.keys(pairs).find((key) => !endpointKeys.includes(key));
  if (unknown !== undefined) throw new CliError(`unrecognized config key: ${unknown}`);
  const { from } = pairs;
  if (from !== undefined) {
    const endpoint = getContext(ctx, from).Endpoints['docker'];
    if (!endpoint) throw new CliError(`unable to get endpoint from context ${JSON.stringify(from)}`);
    return { endpoint, tls: {} };
  }
  const tls: Record<string, string> = {};
  for (const key of ['ca', 'cert', 'key']) {
    const path = pairs[key];
    if (path !== undefined && path !== '') tls[`${key}.pem`] = readPem(path, key);
  }
  const SkipTLSVerify = 'skip-tls-verify' in pairs ? parseBool(pairs['skip-tls-verify'] ?? '') : false;
  return { endpoint: { Host: pairs['host'] ?? '', SkipTLSVerify }, tls };
}

function readPem(path: string, key: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw fileError('open', path, error);
  }
  if (/-----BEGIN [A-Z ]+-----/.test(text)) return text;
  throw new CliError(`invalid docker endpoint options: failed to retrieve context tls info: ${key}.pem seems invalid`);
}
