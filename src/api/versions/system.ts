import type { EventMessage } from '#spec';
import { usageForVersion } from './images.ts';

type Json = Record<string, unknown>;

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Before 1.25 security options were bare names (`seccomp`), not `name=seccomp,profile=builtin`. */
function nameSecurityOptionsBefore25(version: number, info: Json): Json {
  const options = info['SecurityOptions'];
  if (version >= 25 || !Array.isArray(options)) return info;
  const names = options.map((option) => /^name=([^,]*)/.exec(String(option))?.[1] ?? String(option));
  return { ...info, SecurityOptions: names };
}

/** The `status` of runtimes came with 1.44. */
function dropRuntimeStatusBefore44(version: number, info: Json): Json {
  const runtimes = info['Runtimes'];
  if (version >= 44 || !isObject(runtimes)) return info;
  const bare = Object.entries(runtimes).map(([name, runtime]) => {
    if (!isObject(runtime)) return [name, runtime];
    const { status: _dropped, ...rest } = runtime;
    return [name, rest];
  });
  return { ...info, Runtimes: Object.fromEntries(bare) };
}

/** Fields that a version introduced, by the number after `1.`. */
const newFields: readonly (readonly [number, string])[] = [
  [46, 'Containerd'],
  [49, 'FirewallBackend'],
  [50, 'DiscoveredDevices'],
];

function dropNewFields(version: number, info: Json): Json {
  const gone = newFields.filter(([since]) => version < since).map(([, name]) => name);
  return Object.fromEntries(Object.entries(info).filter(([name]) => !gone.includes(name)));
}

/** Until 1.47 the registries' settings told of non-distributable artifacts. */
function addArtifactSettingsBefore47(version: number, info: Json): Json {
  const registry = info['RegistryConfig'];
  if (version >= 47 || !isObject(registry)) return info;
  const RegistryConfig = {
    AllowNondistributableArtifactsCIDRs: null,
    AllowNondistributableArtifactsHostnames: null,
    ...registry,
  };
  return { ...info, RegistryConfig };
}

/** Until 1.48 each component's commit came with the one expected. */
function addExpectedCommitsBefore49(version: number, info: Json): Json {
  if (version >= 49) return info;
  const commits = ['ContainerdCommit', 'RuncCommit', 'InitCommit'].flatMap((name) => {
    const commit = info[name];
    return isObject(commit) ? [[name, { ...commit, Expected: commit['ID'] }]] : [];
  });
  return { ...info, ...Object.fromEntries(commits) };
}

/** Until 1.49 there were two fields on bridge filtering, false in the end. */
function addBridgeFilteringBefore50(version: number, info: Json): Json {
  return version >= 50 ? info : { ...info, BridgeNfIptables: false, BridgeNfIp6tables: false };
}

const infoSteps = [
  nameSecurityOptionsBefore25,
  dropRuntimeStatusBefore44,
  dropNewFields,
  addArtifactSettingsBefore47,
  addExpectedCommitsBefore49,
  addBridgeFilteringBefore50,
];

/** The answer of `GET /info` as a client of this version expects it. */
export function infoForVersion(version: number, info: Json): Json {
  if (version >= 50) return info;
  return infoSteps.reduce((shaped, step) => step(version, shaped), info);
}

/** The answer of `GET /system/df`: until 1.41 with the build cache's size, until 1.43 with `VirtualSize` of images. */
export function diskUsageForVersion(version: number, usage: Json): Json {
  if (version >= 44) return usage;
  const shaped = 'Images' in usage ? { ...usage, Images: usageForVersion(version, usage['Images']) } : usage;
  if (version >= 42) return shaped;
  const cache: unknown[] = Array.isArray(usage['BuildCache']) ? usage['BuildCache'] : [];
  const sizes = cache.map((entry) => (isObject(entry) && typeof entry['Size'] === 'number' ? entry['Size'] : 0));
  return { ...shaped, BuilderSize: sizes.reduce((sum, size) => sum + size, 0) };
}

/** Image `create` events came with 1.46. */
function isKnownEvent(version: number, event: EventMessage): boolean {
  return version >= 46 || event.Type !== 'image' || event.Action !== 'create';
}

/**
 * An event with the old names beside the new ones (`status`, `id`, and `from` for containers), which clients read up to 1.51.
 *
 * @returns undefined when the version does not know such events.
 */
export function eventForVersion(version: number, event: EventMessage): EventMessage | undefined {
  if (!isKnownEvent(version, event)) return undefined;
  const { Actor, Type, Action } = event;
  if (Type === 'image') return { status: Action, id: Actor.ID, ...event };
  if (Type !== 'container') return event;
  return { status: Action, id: Actor.ID, from: Actor.Attributes['image'] ?? '', ...event };
}
