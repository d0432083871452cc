import { hostname } from 'node:os';
import { EngineError } from '#errors';
import type { LogInfo } from '#monitor';
import { executeTemplate, GoMap, parseTemplate, standardFunctions, toGoValue } from '#templates';
import type { ContainerRecord } from './record.ts';

/** What log drivers are told about a container. */
export function logInfo(record: ContainerRecord): LogInfo {
  return {
    containerId: record.id,
    containerName: record.name,
    imageId: record.imageId,
    imageName: record.config.Image,
    command: [record.path, ...record.args].join(' '),
    created: record.createdAt,
    hostname: hostname(),
    tag: renderTag(tagSource(record), record.hostConfig.LogConfig.Config['tag'] || '{{.ID}}'),
    attributes: chosenAttributes(record),
  };
}

/** What a container's log options attach to every line of its json-file: chosen labels and variables, and the tag. */
export function logAttributes(record: ContainerRecord): Record<string, string> {
  const tag = record.hostConfig.LogConfig.Config['tag'] ?? '';
  return { ...chosenAttributes(record), ...(tag === '' ? {} : { tag: renderTag(tagSource(record), tag) }) };
}

function chosenAttributes(record: ContainerRecord): Record<string, string> {
  const options = record.hostConfig.LogConfig.Config;
  const variables = (record.config.Env ?? []).flatMap((entry): [string, string][] => {
    const equals = entry.indexOf('=');
    return equals < 0 ? [] : [[entry.slice(0, equals), entry.slice(equals + 1)]];
  });
  return {
    ...chosen(Object.entries(record.config.Labels ?? {}), options['labels'], options['labels-regex']),
    ...chosen(variables, options['env'], options['env-regex']),
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

type TagSource = Pick<ContainerRecord, 'name' | 'path' | 'args' | 'createdAt'> & {
  id: string;
  imageId: string;
  imageName: string;
  env: readonly string[];
  labels: Readonly<Record<string, string>>;
  options: Readonly<Record<string, string>>;
};

function tagSource(record: ContainerRecord): TagSource {
  const { config, hostConfig } = record;
  return {
    ...record,
    imageName: config.Image,
    env: config.Env ?? [],
    labels: config.Labels ?? {},
    options: hostConfig.LogConfig.Config,
  };
}

/** dockerd's `logger.Info`: its methods and its fields. */
function tagValues(source: TagSource): GoMap {
  const { id, name, imageId, imageName, path, args, env, labels, options, createdAt } = source;
  const values = {
    ID: id.slice(0, 12),
    FullID: id,
    Name: name,
    ImageID: imageId.replace(/^sha256:/, '').slice(0, 12),
    ImageFullID: imageId,
    ImageName: imageName,
    Command: [path, ...args].join(' '),
    Hostname: hostname(),
    DaemonName: 'docker',
    Config: options,
    ContainerID: id,
    ContainerName: `/${name}`,
    ContainerEntrypoint: path,
    ContainerArgs: args,
    ContainerImageID: imageId,
    ContainerImageName: imageName,
    ContainerCreated: createdAt,
    ContainerEnv: env,
    ContainerLabels: labels,
    LogPath: '',
  };
  const entries = Object.entries(values).map(([key, value]) => [key, toGoValue(value)] as const);
  return new GoMap(new Map(entries), { structName: '*logger.Info' });
}

const functions = new Set(standardFunctions.keys());

function renderTag(source: TagSource, tag: string): string {
  const template = parseTemplate(tag, functions, 'log-tag');
  return executeTemplate(template, tagValues(source), { functions: standardFunctions });
}

const nobody: TagSource = {
  id: '0'.repeat(64),
  name: 'name',
  imageId: `sha256:${'0'.repeat(64)}`,
  imageName: 'image',
  path: 'command',
  args: [],
  env: [],
  labels: {},
  options: {},
  createdAt: '',
};

/**
 * Checks the options that {@link logInfo} reads. dockerd does so at the start only, where it is of less use.
 *
 * @throws invalidArgument with Docker's texts.
 */
export function checkLogTemplates(options: Readonly<Record<string, string>>): void {
  try {
    renderTag(nobody, options['tag'] ?? '');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw invalid(`failed to initialize logging driver: ${why}`);
  }
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
