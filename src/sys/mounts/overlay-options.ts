/** What an overlay mount is made of. */
export interface OverlayMount {
  /** Read-only layers, topmost first; at least one. */
  lowerDirs: readonly string[];
  /** Writable layer; without it the mount is read-only and wants two lower layers or more. */
  upperDir?: string | undefined;
  /** Empty directory on the upper layer's filesystem. */
  workDir?: string | undefined;
  target: string;
  /** Never syncs; after a crash the upper layer must be thrown away. */
  volatile: boolean;
  readOnly: boolean;
  /** Further options of overlayfs, such as `metacopy=off`. */
  options?: readonly string[] | undefined;
}

/** mount(2) copies one page of options, the closing NUL included. */
const MAX_OPTION_BYTES = 4095;

/** Layers beyond which Docker too changes its ways; more fit in an option string only with very short names. */
const MAX_OPTION_LAYERS = 128;

/** In an option string a backslash takes the meaning from `,` (between options), `:` (between layers) and itself. */
export function escapeLayer(path: string): string {
  return path.replace(/[\\:,]/g, (character) => `\\${character}`);
}

/** Escaping for upperdir and workdir, which are not split at colons. */
function escapeDirectory(path: string): string {
  return path.replace(/[\\,]/g, (character) => `\\${character}`);
}

/** The options after the layers. */
export function upperOptions(overlay: OverlayMount): [key: string, value?: string][] {
  const options: [string, string?][] = [];
  if (overlay.upperDir !== undefined) options.push(['upperdir', overlay.upperDir]);
  if (overlay.workDir !== undefined) options.push(['workdir', overlay.workDir]);
  if (overlay.volatile && overlay.upperDir !== undefined) options.push(['volatile']);
  for (const option of overlay.options ?? []) {
    const at = option.indexOf('=');
    options.push(at === -1 ? [option] : [option.slice(0, at), option.slice(at + 1)]);
  }
  return options;
}

/** The option string for mount(2). */
export function overlayOptionString(overlay: OverlayMount): string {
  const rest = upperOptions(overlay).map(([key, value]) =>
    value === undefined ? key : `${key}=${escapeDirectory(value)}`,
  );
  return [`lowerdir=${overlay.lowerDirs.map(escapeLayer).join(':')}`, ...rest].join(',');
}

/** Whether mount(2) can take the overlay. */
export function fitsOptionString(overlay: OverlayMount): boolean {
  return (
    overlay.lowerDirs.length <= MAX_OPTION_LAYERS && Buffer.byteLength(overlayOptionString(overlay)) <= MAX_OPTION_BYTES
  );
}
