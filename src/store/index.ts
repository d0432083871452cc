export {
  openDatabase,
  storeMigrations,
  type Database,
  type Migration,
  type Row,
  type Statement,
} from './meta/index.ts';
export type { ContainerLayers, StoredImage } from './contract.ts';
