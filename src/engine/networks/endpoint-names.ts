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

/** `name:alias` of an endpoint's links, by alias; one without an alias is its own. */
export function endpointLinks(links: readonly string[]): Record<string, string> | undefined {
  const entries = links.map((link) => {
    const [name = '', alias = name] = link.split(':');
    return [alias.slice(alias.lastIndexOf('/') + 1), name.replace(/^\//, '')] as const;
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
