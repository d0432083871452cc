import type { Digest, oci } from '#spec';

export type ImageAction =
  | 'delete'
  | 'import'
  | 'load'
  | 'prune'
  | 'pull'
  | 'push'
  | 'save'
  | 'tag'
  | 'untag'
  | 'create';

/** Tells that something happened to an image; called after it was committed. */
export type EmitImageEvent = (action: ImageAction, id: string, attributes: Record<string, string>) => void;

/** An image event's attributes: the labels, and a name that no label can overrule. */
export function imageAttributes(name: string, config: oci.ImageConfig | undefined): Record<string, string> {
  return { ...config?.config?.Labels, name };
}

/** Emits an event that names the image by its ID. */
export function emitById(
  emit: EmitImageEvent,
  action: ImageAction,
  id: Digest,
  config: oci.ImageConfig | undefined,
): void {
  emit(action, id, imageAttributes(id, config));
}
