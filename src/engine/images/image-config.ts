import { isDigest, type oci } from '#spec';
import { invalidImageArchive } from './errors.ts';
import { isObject, parseJsonObject, stringList, stringOr } from './json.ts';

function isStringMap(value: unknown): value is Record<string, string> {
  return isObject(value) && Object.values(value).every((item) => typeof item === 'string');
}

function isNullableStrings(value: unknown): boolean {
  return (
    value === undefined || value === null || (Array.isArray(value) && value.every((item) => typeof item === 'string'))
  );
}

/** Checks the fields that decide how a container runs; a null counts as absent, as Go reads it. */
function decodeRunConfig(value: unknown): oci.RunConfig {
  if (value === undefined || value === null) return {};
  if (!isObject(value)) throw invalidImageArchive('the image configuration has no usable "config"');
  const present = Object.fromEntries(
    Object.entries(value).filter(([key, field]) => field !== null || key === 'Cmd' || key === 'Entrypoint'),
  );
  for (const key of ['Env', 'Cmd', 'Entrypoint', 'OnBuild', 'Shell']) {
    if (!isNullableStrings(present[key]))
      throw invalidImageArchive(`"${key}" of the image configuration is not a list of strings`);
  }
  for (const key of ['User', 'WorkingDir', 'StopSignal']) {
    if (key in present && typeof present[key] !== 'string') {
      throw invalidImageArchive(`"${key}" of the image configuration is not a string`);
    }
  }
  if ('Labels' in present && !isStringMap(present['Labels'])) {
    throw invalidImageArchive('"Labels" of the image configuration is not a map of strings');
  }
  for (const key of ['ExposedPorts', 'Volumes', 'Healthcheck']) {
    if (key in present && !isObject(present[key])) {
      throw invalidImageArchive(`"${key}" of the image configuration is not a map`);
    }
  }
  return present;
}

function decodeHistory(value: unknown): oci.ImageHistory[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value) || !value.every(isObject)) {
    throw invalidImageArchive('"history" of the image configuration is not a list of entries');
  }
  return value;
}

/**
 * Reads an image configuration that somebody else wrote.
 *
 * @throws invalidArgument when it is not usable.
 * @see OCI image-spec, "Image Configuration"; Docker's image specification 1.2
 */
export function decodeImageConfig(bytes: Uint8Array): oci.ImageConfig {
  const raw = parseJsonObject(bytes, 'the image configuration');
  const rootfs = isObject(raw['rootfs']) ? raw['rootfs'] : {};
  const diffIds = stringList(rootfs['diff_ids'], '"diff_ids" of the image configuration');
  const bad = diffIds.find((text) => !isDigest(text));
  if (bad !== undefined)
    throw invalidImageArchive(`the image configuration names an invalid layer ${JSON.stringify(bad)}`);
  const { history: _history, config: _config, rootfs: _rootfs, ...rest } = raw;
  const texts = ['created', 'author', 'variant', 'os.version', 'comment', 'docker_version', 'container', 'parent'];
  const history = decodeHistory(raw['history']);
  return {
    ...Object.fromEntries(texts.filter((key) => typeof rest[key] === 'string').map((key) => [key, rest[key]])),
    architecture: stringOr(raw['architecture'], ''),
    os: stringOr(raw['os'], 'linux'),
    config: decodeRunConfig(raw['config']),
    rootfs: { type: 'layers', diff_ids: diffIds.filter((text) => isDigest(text)) },
    ...(history === undefined ? {} : { history }),
  };
}
