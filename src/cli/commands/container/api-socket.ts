import type { ApiClient } from '#client';
import type { CliContext } from '../../context.ts';
import { CliError } from '../../framework/errors.ts';
import type { ContainerRequest } from '../../run-options/container-options.ts';

/**
 * Mounts the daemon's socket into the container for `--use-api-socket`.
 *
 * @throws {@link CliError} when the daemon is not on a unix socket, or the user has registry credentials, which cannot
 *   be handed on before the daemon takes files for a container.
 */
export function addApiSocket(ctx: CliContext, client: ApiClient, request: ContainerRequest): void {
  const { host } = client;
  if (!host.startsWith('unix://')) {
    throw new CliError(
      `flag --use-api-socket can only be used with unix sockets: docker endpoint ${host} incompatible`,
    );
  }
  const given = request.config.Env?.some((variable) => variable.startsWith('DOCKER_CONFIG=')) === true;
  if (!given && Object.keys(ctx.config.auths ?? {}).length > 0) {
    throw new CliError('resolving credentials failed: set DOCKER_CONFIG with -e to go without them');
  }
  const socket = {
    Type: 'bind',
    Source: host.slice('unix://'.length),
    Target: '/var/run/docker.sock',
    BindOptions: {},
  };
  request.hostConfig.Mounts = [...(request.hostConfig.Mounts ?? []), socket];
}
