import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ApiClient, type TlsOptions } from '#client';
import { isErrno } from '#lib';
import type { CliContext } from '../context.ts';
import { CliError } from '../framework/errors.ts';
import { fileError } from '../framework/files.ts';
import type { GlobalFlags } from '../global-flags.ts';
import { clientVersion } from '../version.ts';
import { currentContextName, defaultContextName } from './current-context.ts';
import { defaultHost, normalizeHost } from './host.ts';

/** The client of the daemon that `-H`, `-c`, `DOCKER_HOST`, `DOCKER_CONTEXT` and `config.json` choose, in that order. */
export async function createClient(ctx: CliContext): Promise<ApiClient> {
  const apiVersion = ctx.env['DOCKER_API_VERSION'];
  try {
    const { host, tls } = await resolveEndpoint(ctx);
    return new ApiClient({
      host,
      ...(tls ? { tls } : {}),
      ...(apiVersion ? { apiVersion } : {}),
      headers: ctx.config.HttpHeaders ?? {},
      userAgent: `Berth-Client/${clientVersion} (linux)`,
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    if (why.startsWith('conflicting options')) throw error;
    throw new CliError(`Failed to initialize: unable to resolve docker endpoint: ${why}`, 1, { cause: error });
  }
}

/** Host and TLS material, without connecting. */
export async function resolveEndpoint(ctx: CliContext): Promise<{ host: string; tls?: TlsOptions }> {
  const { globals } = ctx;
  const name = currentContextName(ctx);
  if (name !== defaultContextName) return await endpointOfContext(globals.configDir, name);
  if (globals.hosts.length > 1) throw new CliError('Specify only one -H');
  const given = globals.hosts[0] ?? ctx.env['DOCKER_HOST'] ?? '';
  const host = given === '' ? defaultHost(ctx.program) : normalizeHost(given, globals.tls);
  const wantsTls = globals.tls || host.startsWith('https://');
  return wantsTls && !host.startsWith('unix:') ? { host, tls: tlsFromFlags(globals) } : { host };
}

function tlsFromFlags(globals: GlobalFlags): TlsOptions {
  const { tlsFilesGiven: given } = globals;
  const read = (path: string, needed: boolean): string | undefined => {
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      if (!needed && isErrno(error, 'ENOENT')) return undefined;
      throw fileError('open', path, error);
    }
  };
  return tlsOptions(
    read(globals.tlsCaCert, globals.tlsVerify || given.has('tlscacert')),
    read(globals.tlsCert, given.has('tlscert')),
    read(globals.tlsKey, given.has('tlskey')),
    !globals.tlsVerify,
  );
}

function tlsOptions(
  ca: string | undefined,
  cert: string | undefined,
  key: string | undefined,
  skip: boolean,
): TlsOptions {
  return {
    skipVerify: skip,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

async function endpointOfContext(configDir: string, name: string): Promise<{ host: string; tls?: TlsOptions }> {
  const { ContextStore } = await import('./context-store.ts');
  const store = new ContextStore(join(configDir, 'contexts'));
  const endpoint = store.get(name).Endpoints['docker'];
  if (!endpoint?.Host) throw new CliError(`docker endpoint configuration not found in context "${name}"`);
  const files = store.tlsFiles(name);
  const host = normalizeHost(endpoint.Host, Object.keys(files).length > 0);
  if (Object.keys(files).length === 0 && endpoint.SkipTLSVerify !== true) return { host };
  if (host.startsWith('unix:')) return { host };
  return {
    host,
    tls: tlsOptions(files['ca.pem'], files['cert.pem'], files['key.pem'], endpoint.SkipTLSVerify === true),
  };
}
