export { openNetworkStore } from './networks/network-store.ts';
export { checkLogConfig, logDriverNames } from './containers/log-config.ts';
export { Engine, engineMigrations, type EngineOptions } from './engine.ts';
