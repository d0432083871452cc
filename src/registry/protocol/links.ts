/**
 * The target of the `rel="next"` link of a `Link` header, as it stands there; undefined when there is none.
 *
 * @see RFC 8288
 */
export function parseNextLink(header: string | undefined): string | undefined {
  const pattern = /<([^>]*)>((?:\s*;\s*[\w*-]+\s*(?:=\s*(?:"(?:[^"\\]|\\.)*"|[^\s;,"]*))?)*)\s*(?:,|$)/g;
  for (const [, target, parameters = ''] of (header ?? '').matchAll(pattern)) {
    const rel = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,"]*))/i.exec(parameters);
    const relations = (rel?.[1] ?? rel?.[2] ?? '').toLowerCase().split(/\s+/);
    if (relations.includes('next')) return target;
  }
  return undefined;
}

/** Writes the `Link` header of a page that another follows. */
export function formatNextLink(target: string): string {
  return `<${target}>; rel="next"`;
}
