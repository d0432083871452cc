/**
 * JSON values standing one after the other (Docker puts a line break behind each), as text, one at a time.
 *
 * Values are told apart by line breaks when there are any, so one may not span lines; none of the daemon's do.
 */
export async function* jsonLineTexts(source: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, void> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of source) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const text = line.trim();
      if (text !== '') yield text;
    }
  }
  const last = (rest + decoder.decode()).trim();
  if (last !== '') yield last;
}

/** The same, decoded; the daemon's lines are taken to have the shape asked for. */
export async function* jsonLines<T>(source: AsyncIterable<Uint8Array>): AsyncGenerator<T, void, void> {
  for await (const text of jsonLineTexts(source)) {
    /* oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the daemon's answers are trusted to have their shape */
    yield JSON.parse(text) as T;
  }
}
