export type * from './image.ts';
