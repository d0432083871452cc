import type { ApiClient, Query } from '#client';
import type { Inspected } from '../output/inspect.ts';

/** Kinds of objects the engine has: where one is found, and the struct it is. */
const kinds = {
  container: { path: (name: string) => `/containers/${name}/json`, structName: 'container.InspectResponse' },
  image: { path: (name: string) => `/images/${name}/json`, structName: 'image.InspectResponse' },
  network: { path: (name: string) => `/networks/${name}`, structName: 'network.Inspect' },
  volume: { path: (name: string) => `/volumes/${name}`, structName: 'volume.Volume' },
  service: { path: (name: string) => `/services/${name}`, structName: 'any' },
  task: { path: (name: string) => `/tasks/${name}`, structName: 'any' },
  node: { path: (name: string) => `/nodes/${name}`, structName: 'any' },
  plugin: { path: (name: string) => `/plugins/${name}/json`, structName: 'any' },
  secret: { path: (name: string) => `/secrets/${name}`, structName: 'any' },
  config: { path: (name: string) => `/configs/${name}`, structName: 'any' },
} as const;

export type InspectKind = keyof typeof kinds;

/** A name as a path segment; image names keep their slashes, as Docker's client sends them. */
export function pathName(name: string): string {
  return encodeURIComponent(name).replaceAll('%2F', '/').replaceAll('%3A', ':').replaceAll('%40', '@');
}

/** Asks the daemon for one object. @throws ApiError */
export async function fetchInspected(
  client: ApiClient,
  kind: InspectKind,
  name: string,
  query: Query = {},
): Promise<Inspected> {
  const { path, structName } = kinds[kind];
  const response = await client.send({ method: 'GET', path: path(pathName(name)), query });
  return { json: (await response.text()).trim(), structName };
}
