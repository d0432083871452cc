import type { ContainerRecord } from '../containers/record.ts';

const SHORT_ID_LENGTH = 12;

/** What others on a user-defined network may call a container; its own name is the one that its address leads back to. */
export function endpointNames(
  { id, name, config }: Pick<ContainerRecord, 'id' | 'name' | 'config'>,
  aliases: readonly string[],
): string[] {
  const names = [name, ...aliases, id.slice(0, SHORT_ID_LENGTH), config.Hostname];
  return [...new Set(names.filter((one) => one !== ''))];
}
