export { chainIdOf } from './chain.ts';
export { LayerRecords, type Layer } from './layer-records.ts';
export { LayerStore, type Unpack, type UnpackedLayer } from './layer-store.ts';
export { ContainerLayerStore } from './container-layer-store.ts';
