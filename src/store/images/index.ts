export { ImageRecords, type ImageLayer, type ImageRecord } from './image-records.ts';
