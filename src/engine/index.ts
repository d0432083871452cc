export { Engine, engineMigrations, type EngineOptions } from './engine.ts';
