export { type ApiServer, type ApiServerOptions, createApiServer } from './server.ts';
export type { ApiBackends } from './routes/table.ts';
export type * from './routes/containers/backend.ts';
export type * from './routes/exec/backend.ts';
export type * from './routes/images/backend.ts';
export type * from './routes/networks/backend.ts';
export type * from './routes/system/backend.ts';
export type * from './routes/volumes/backend.ts';
export { newestVersion, oldestVersion } from './version.ts';
