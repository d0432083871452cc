import { type ApiClient, jsonLines } from '#client';
import { type ImageReference, repositoryName } from '#spec';
import { CliError } from '../../framework/errors.ts';

/** One line of a pull's progress. */
interface ProgressLine {
  id?: string;
  status?: string;
  progressDetail?: { current?: number; total?: number };
  errorDetail?: { message?: string };
  error?: string;
}

/**
 * Has the daemon pull an image; `show` gets the lines to print.
 *
 * @throws {@link CliError} with the daemon's message when the pull breaks off; ApiError when it is refused.
 */
export async function pullImage(
  client: ApiClient,
  image: ImageReference,
  platform: string,
  show: (text: string) => void,
): Promise<void> {
  const response = await client.send({
    method: 'POST',
    path: '/images/create',
    query: {
      fromImage: repositoryName(image),
      tag: image.digest ?? image.tag,
      platform: platform === '' ? undefined : platform.toLowerCase(),
    },
  });
  for await (const line of jsonLines<ProgressLine>(response)) {
    const failure = line.errorDetail?.message ?? line.error;
    if (failure !== undefined) throw new CliError(failure);
    if (line.status === undefined || line.progressDetail?.current !== undefined) continue;
    show(`${line.id === undefined || line.id === '' ? '' : `${line.id}: `}${line.status}\n`);
  }
}
