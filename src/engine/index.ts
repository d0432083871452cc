export { openNetworkStore } from './networks/network-store.ts';
export { Engine, engineMigrations, type EngineOptions } from './engine.ts';
