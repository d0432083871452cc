import { EngineError } from '#errors';
import type { ContainerRecord } from './record.ts';

const tagFields: Readonly<Record<string, (record: ContainerRecord) => string>> = {
  ID: ({ id }) => id.slice(0, 12),
  FullID: ({ id }) => id,
  Name: ({ name }) => name,
  ImageID: ({ imageId }) => imageId.slice(0, 12),
  ImageFullID: ({ imageId }) => imageId,
  ImageName: ({ config }) => config.Image,
  Hostname: ({ config }) => config.Hostname,
  Command: ({ path, args }) => [path, ...args].join(' '),
  DaemonName: () => 'docker',
};
const field = /\{\{\s*\.(\w+)\s*\}\}/g;

/** What a container's log options attach to every line: chosen labels and variables, and the tag. */
export function logAttributes(record: ContainerRecord): Record<string, string> {
  const options = record.hostConfig.LogConfig.Config;
  const variables = (record.config.Env ?? []).flatMap((entry): [string, string][] => {
    const equals = entry.indexOf('=');
    return equals < 0 ? [] : [[entry.slice(0, equals), entry.slice(equals + 1)]];
  });
  const tag = options['tag'] ?? '';
  return {
    ...chosen(Object.entries(record.config.Labels ?? {}), options['labels'], options['labels-regex']),
    ...chosen(variables, options['env'], options['env-regex']),
    ...(tag === '' ? {} : { tag: tag.replace(field, (_all, name: string) => tagFields[name]?.(record) ?? '') }),
  };
}

function chosen(
  entries: readonly [string, string][],
  names: string | undefined,
  pattern: string | undefined,
): Record<string, string> {
  const wanted = new Set((names ?? '').split(','));
  const matches = pattern ? new RegExp(pattern) : undefined;
  return Object.fromEntries(entries.filter(([name]) => wanted.has(name) || matches?.test(name)));
}

/**
 * Checks the options that {@link logAttributes} reads.
 *
 * @throws invalidArgument for a tag with a field that there is not, or a bad expression.
 */
export function checkLogTemplates(options: Readonly<Record<string, string>>): void {
  const rest = (options['tag'] ?? '').replace(field, (all, name: string) => (name in tagFields ? '' : all));
  if (/\{\{|\}\}/.test(rest)) throw invalid(`failed to parse the log tag ${JSON.stringify(options['tag'])}`);
  for (const key of ['labels-regex', 'env-regex']) {
    try {
      void new RegExp(options[key] ?? '');
    } catch (error) {
      throw invalid(`error parsing ${key}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

function invalid(message: string): EngineError {
  return new EngineError('invalidArgument', 'INVALID_LOG_OPT', message);
}
