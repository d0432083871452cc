export { openImages, Images, type CommitImageRequest, type ImagesOptions } from './images.ts';
export type { EmitImageEvent, ImageAction } from './events.ts';
export type { ImageUser } from './remove.ts';
