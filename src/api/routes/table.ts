import { openApi } from '../openapi.ts';
import { answer, type Route, routesOf } from '../route.ts';
import type { BuildBackend } from './build/backend.ts';
import { buildRoutes, unbuiltBuildRoutes } from './build/routes.ts';
import { archiveRoutes } from './containers/archive.ts';
import type { ContainersBackend, FilesBackend } from './containers/backend.ts';
import { containerRoutes, unbuiltContainerRoutes } from './containers/routes.ts';
import type { ExecBackend } from './exec/backend.ts';
import { execRoutes } from './exec/routes.ts';
import type { CommitBackend, ImagesBackend } from './images/backend.ts';
import { commitRoutes, createRoutes, imageRoutes, unbuiltImageRoutes } from './images/routes.ts';
import type { NetworksBackend } from './networks/backend.ts';
import { networkRoutes } from './networks/routes.ts';
import { pluginRoutes, unbuiltPluginRoutes } from './plugins/routes.ts';
import type { RegistriesBackend } from './registries/backend.ts';
import { registryRoutes } from './registries/routes.ts';
import { unbuiltSwarmRoutes } from './swarm/routes.ts';
import type { SystemBackend } from './system/backend.ts';
import { pingRoutes, systemRoutes, unbuiltSystemRoutes } from './system/routes.ts';
import type { VolumesBackend } from './volumes/backend.ts';
import { unbuiltVolumeRoutes, volumeRoutes } from './volumes/routes.ts';

/** What the routes are served from. The routes of a backend left out answer 501. */
export interface ApiBackends {
  containers?: ContainersBackend | undefined;
  files?: FilesBackend | undefined;
  exec?: ExecBackend | undefined;
  images?: ImagesBackend | undefined;
  commit?: CommitBackend | undefined;
  build?: BuildBackend | undefined;
  registries?: RegistriesBackend | undefined;
  networks?: NetworksBackend | undefined;
  volumes?: VolumesBackend | undefined;
  system?: SystemBackend | undefined;
}

/** The whole table: every route of Docker's API and our own. */
export function allRoutes(backends: ApiBackends): Route[] {
  const routes = [
    ...routesOf(backends.containers, containerRoutes),
    ...routesOf(backends.files, archiveRoutes),
    ...unbuiltContainerRoutes(),
    ...routesOf(backends.exec, execRoutes),
    ...routesOf(backends.images, imageRoutes),
    ...routesOf(backends.images, (images) => createRoutes(images, backends.registries)),
    ...routesOf(backends.registries, registryRoutes),
    ...routesOf(backends.commit, commitRoutes),
    ...unbuiltImageRoutes(),
    ...routesOf(backends.networks, networkRoutes),
    ...routesOf(backends.volumes, volumeRoutes),
    ...unbuiltVolumeRoutes(),
    ...pingRoutes(),
    ...routesOf(backends.system, systemRoutes),
    ...unbuiltSystemRoutes(),
    ...routesOf(backends.build, buildRoutes),
    ...unbuiltBuildRoutes(),
    ...unbuiltSwarmRoutes(),
    ...pluginRoutes(),
    ...unbuiltPluginRoutes(),
  ];
  const describe = { tag: 'Berth', summary: 'Read this description (OpenAPI)', statuses: [200], answer: 'OpenApi' };
  routes.push(answer('GET', '/openapi.json', describe, (exchange) => exchange.json(200, openApi(routes))));
  return routes;
}
