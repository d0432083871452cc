import type { oci } from '#spec';

/** How histories tell this builder's instructions from shell lines: tools look for both. */
const HISTORY_COMMENT = 'buildkit.dockerfile.v0';
const FILES_SUFFIX = ' # buildkit';

/** The entry of an instruction that changes the configuration only. Times are set when the image is made. */
export function configEntry(createdBy: string): oci.ImageHistory {
  return { created_by: createdBy, comment: HISTORY_COMMENT, empty_layer: true };
}

/** The entry of RUN, COPY and ADD. */
export function filesEntry(createdBy: string): oci.ImageHistory {
  return { created_by: createdBy + FILES_SUFFIX, comment: HISTORY_COMMENT };
}

/** The entry of a WORKDIR that makes a folder. */
export function folderEntry(createdBy: string): oci.ImageHistory {
  return { created_by: createdBy, comment: HISTORY_COMMENT };
}

/** `["a" "b"]`, as Docker shows lists of arguments. */
export function quotedList(args: readonly string[]): string {
  return `[${args.map((arg) => JSON.stringify(arg)).join(' ')}]`;
}

/** `[a b]`, as Docker shows lists of names. */
export function plainList(items: readonly string[]): string {
  return `[${items.join(' ')}]`;
}
