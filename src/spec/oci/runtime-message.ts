/** The runtime's complaint: of several lines the last that says something. */
export function runtimeMessage(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  const last = lines.at(-1) ?? '';
  const inLogfmt = /\bmsg=("(?:[^"\\]|\\.)*"|\S+)/.exec(last)?.[1];
  if (inLogfmt === undefined) return last.replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z?: /, '').trim();
  return inLogfmt.startsWith('"') ? unquote(inLogfmt) : inLogfmt;
}

function unquote(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'string' ? value : text;
  } catch {
    return text;
  }
}
