export { RegistryStorage, type StorageOptions } from './storage/registry-storage.ts';
