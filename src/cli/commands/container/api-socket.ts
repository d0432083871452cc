import type { ApiClient } from '#client';
import { entry } from '../../config/context-archive.ts';
import { readCredentials } from '../../config/credentials.ts';
import type { CliContext } from '../../context.ts';
import { CliError } from '../../framework/errors.ts';
import type { ContainerRequest } from '../../run-options/container-options.ts';

const configDir = '/run/secrets/docker';
/** Two empty blocks end a tar archive. */
const tarEnd = Buffer.alloc(1024);

/**
 * Mounts the daemon's socket into the container for `--use-api-socket`, and points it to the user's registry
 * credentials unless it has a `DOCKER_CONFIG` of its own.
 *
 * @returns Puts the credentials there once the container exists.
 * @throws {@link CliError} when the daemon is not on a unix socket.
 */
export async function addApiSocket(
  ctx: CliContext,
  client: ApiClient,
  request: ContainerRequest,
): Promise<(id: string) => Promise<void>> {
  const { host } = client;
  if (!host.startsWith('unix://')) {
    throw new CliError(
      `flag --use-api-socket can only be used with unix sockets: docker endpoint ${host} incompatible`,
    );
  }
  const socket = {
    Type: 'bind',
    Source: host.slice('unix://'.length),
    Target: '/var/run/docker.sock',
    BindOptions: {},
  };
  request.hostConfig.Mounts = [...(request.hostConfig.Mounts ?? []), socket];
  const given = request.config.Env?.some((variable) => variable.startsWith('DOCKER_CONFIG=')) === true;
  const auths = given ? {} : await resolvedAuths(ctx);
  if (Object.keys(auths).length === 0) return async () => undefined;
  request.config.Env = [...(request.config.Env ?? []), `DOCKER_CONFIG=${configDir}`];
  return async (id) => {
    const config = Buffer.from(JSON.stringify({ auths }));
    const file = entry(`${configDir}/config.json`, '0', config, 0o600);
    await putArchive(client, id, Buffer.concat([file, tarEnd]));
  };
}

/** All credentials the configuration knows of, helpers asked. */
async function resolvedAuths(ctx: CliContext): Promise<Record<string, unknown>> {
  const auths: Record<string, unknown> = {};
  for (const key of Object.keys({ ...ctx.config.auths, ...ctx.config.credHelpers })) {
    const found = await readCredentials(ctx.config, key);
    if (!found) continue;
    const { username = '', password = '', identitytoken } = found;
    const auth = Buffer.from(`${username}:${password}`).toString('base64');
    auths[key] = identitytoken === undefined ? { auth } : { auth, identitytoken };
  }
  return auths;
}

async function putArchive(client: ApiClient, id: string, archive: Buffer): Promise<void> {
  const source = async function* (): AsyncGenerator<Buffer, void, void> {
    yield archive;
  };
  const response = await client.send({
    method: 'PUT',
    path: `/containers/${id}/archive`,
    query: { path: '/', noOverwriteDirNonDir: 'true' },
    stream: source(),
  });
  await response.discard();
}
