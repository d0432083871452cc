/** JSON text laid out anew, its tokens untouched: numbers keep their digits, members their order. */
export function indentJson(text: string, indent: string): string {
  let depth = 0;
  let out = '';
  for (const token of tokens(text)) {
    if (token === '}' || token === ']') {
      depth--;
      out += /[[{]$/.test(out) ? token : `\n${indent.repeat(depth)}${token}`;
      continue;
    }
    if (token === ',' || token === ':') {
      out += token === ',' ? ',' : ': ';
      continue;
    }
    if (depth > 0 && !out.endsWith(': ')) out += `\n${indent.repeat(depth)}`;
    out += token;
    if (token === '{' || token === '[') depth++;
  }
  return out;
}

/** JSON text without white space between tokens. */
export function compactJson(text: string): string {
  return [...tokens(text)].join('');
}

function* tokens(text: string): Generator<string, void, void> {
  const pattern = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s"{}[\],:]+/g;
  for (const match of text.matchAll(pattern)) yield match[0];
}
