const simple: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
};

/** Go's `strconv.Unquote` for `"…"`, `` `…` `` and `'…'`; undefined for a bad escape. */
export function unquote(quoted: string): string | undefined {
  const body = quoted.slice(1, -1);
  if (quoted.startsWith('`')) return body.replaceAll('\r', '');
  let bad = false;
  const text = body.replaceAll(
    /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{3})|(.))/gs,
    (_all, x?: string, u?: string, long?: string, octal?: string, char?: string) => {
      const hex = x ?? u ?? long;
      if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
      if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8));
      const plain = simple[char ?? ''];
      bad ||= plain === undefined;
      return plain ?? '';
    },
  );
  return bad ? undefined : text;
}

/** Go's `%q`. */
export function quote(text: string): string {
  let out = '"';
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    if (char === '"' || char === '\\') out += `\\${char}`;
    else if (code >= 0x20 && code !== 0x7f && (code < 0x80 || /[\p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(char))) out += char;
    else out += escape(char, code);
  }
  return `${out}"`;
}

function escape(char: string, code: number): string {
  const letter = Object.entries(simple).find(([key, value]) => value === char && /[a-z]/.test(key))?.[0];
  if (letter !== undefined) return `\\${letter}`;
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`;
  return code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
}
