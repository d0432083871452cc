import type { ApiClient } from '#client';
import { type ImageReference, repositoryName } from '#spec';
import { registryAuthHeader } from '../../config/registry-auth.ts';
import type { CliContext } from '../../context.ts';
import { showProgress } from '../../output/progress.ts';

/**
 * Has the daemon pull an image, showing its progress on standard error.
 *
 * @throws CliError with the daemon's message when the pull breaks off; ApiError when it is refused.
 */
export async function pullImage(
  ctx: CliContext,
  client: ApiClient,
  image: ImageReference,
  options: { platform: string; quiet: boolean },
): Promise<void> {
  const response = await client.send({
    method: 'POST',
    path: '/images/create',
    query: {
      fromImage: repositoryName(image),
      tag: image.digest ?? image.tag,
      platform: options.platform === '' ? undefined : options.platform.toLowerCase(),
    },
    headers: await registryAuthHeader(ctx, image.domain),
  });
  await showProgress(ctx, response, { quiet: options.quiet, stream: 'stderr' });
}
