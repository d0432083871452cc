export type TokenKind =
  | 'text'
  | 'open'
  | 'close'
  | 'identifier'
  | 'keyword'
  | 'field'
  | 'variable'
  | 'dot'
  | 'string'
  | 'number'
  | 'bool'
  | 'nil'
  | 'pipe'
  | 'declare'
  | 'assign'
  | 'comma'
  | 'leftParen'
  | 'rightParen'
  | 'space'
  | 'char'
  | 'end'
  /** What cannot be taken apart; `text` tells why. Said when the parser gets there, not before. */
  | 'error';

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly pos: number;
}

const keywords = new Set(['block', 'break', 'continue', 'define', 'else', 'end', 'if', 'range', 'template', 'with']);

/** What can stand inside an action, first match wins; each is anchored at the current offset. */
const patterns: readonly (readonly [TokenKind, RegExp])[] = [
  ['space', /[ \t\r\n]+/y],
  ['string', /"(?:\\.|[^"\\\n])*"/y],
  ['string', /`[^`]*`/y],
  ['number', /'(?:\\(?:[0-7]{3}|x[\da-fA-F]{2}|u[\da-fA-F]{4}|.)|[^'\\\n])'/uy],
  ['number', /[+-]?(?:0[xX][\da-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?)/y],
  ['field', /\.[\p{L}_][\p{L}\p{N}_]*/uy],
  ['variable', /\$[\p{L}\p{N}_]*/uy],
  ['identifier', /[\p{L}_][\p{L}\p{N}_]*/uy],
  ['dot', /\./y],
  ['pipe', /\|/y],
  ['declare', /:=/y],
  ['assign', /=/y],
  ['comma', /,/y],
  ['leftParen', /\(/y],
  ['rightParen', /\)/y],
];

/** Splits a template into tokens, trim markers and comments already worked in. */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  try {
    fillTokens(source, tokens);
  } catch (error) {
    if (!(error instanceof LexError)) throw error;
    tokens.push({ kind: 'error', text: error.message, pos: error.pos });
  }
  return tokens;
}

class LexError extends Error {
  readonly pos: number;

  constructor(pos: number, why: string) {
    super(why);
    this.pos = pos;
  }
}

function fillTokens(source: string, tokens: Token[]): void {
  let offset = 0;
  let trimNext = false;
  while (offset < source.length) {
    const open = source.indexOf('{{', offset);
    const end = open < 0 ? source.length : open;
    const trims = open >= 0 && /^\{\{-[ \t\r\n]/.test(source.slice(open, open + 4));
    addText(tokens, source.slice(offset, end), offset, trimNext, trims);
    trimNext = false;
    if (open < 0) break;
    const start = open + (trims ? 4 : 2);
    if (source.startsWith('/*', trims ? start : open + 2)) {
      [offset, trimNext] = skipComment(source, open, start);
      continue;
    }
    tokens.push({ kind: 'open', text: '{{', pos: open });
    [offset, trimNext] = lexAction(source, start, tokens);
  }
  tokens.push({ kind: 'end', text: '', pos: source.length });
}

function addText(tokens: Token[], raw: string, pos: number, trimStart: boolean, trimEnd: boolean): void {
  let text = raw;
  if (trimStart) text = text.replace(/^[ \t\r\n]+/, '');
  if (trimEnd) text = text.replace(/[ \t\r\n]+$/, '');
  if (text !== '') tokens.push({ kind: 'text', text, pos });
}

function skipComment(source: string, open: number, start: number): [number, boolean] {
  const stop = source.indexOf('*/', start);
  if (stop < 0) throw new LexError(open, 'unclosed comment');
  const after = /^(?:[ \t\r\n]-)?\}\}/.exec(source.slice(stop + 2));
  if (!after) throw new LexError(open, 'comment ends before closing delimiter');
  return [stop + 2 + after[0].length, after[0].length > 2];
}

/** Lexes up to and including the closing braces; returns the offset after them and whether they trim. */
function lexAction(source: string, start: number, tokens: Token[]): [number, boolean] {
  let offset = start;
  let depth = 0;
  while (offset < source.length) {
    const close = /^(?:[ \t\r\n]-)?\}\}/.exec(source.slice(offset, offset + 4));
    if (close) {
      if (depth > 0) throw new LexError(offset, 'unclosed left paren');
      tokens.push({ kind: 'close', text: '}}', pos: offset });
      return [offset + close[0].length, close[0].length > 2];
    }
    const token = nextToken(source, offset);
    if (token.kind === 'leftParen') depth++;
    if (token.kind === 'rightParen' && --depth < 0) throw new LexError(offset, 'unexpected right paren');
    checkEnd(source, token);
    tokens.push(token);
    offset += token.text.length;
  }
  throw new LexError(start, 'unclosed action');
}

function nextToken(source: string, offset: number): Token {
  for (const [kind, pattern] of patterns) {
    pattern.lastIndex = offset;
    const text = pattern.exec(source)?.[0];
    if (text === undefined) continue;
    return { kind: kind === 'identifier' ? wordKind(text) : kind, text, pos: offset };
  }
  const char = String.fromCodePoint(source.codePointAt(offset) ?? 0);
  if (char === '"') throw new LexError(offset, 'unterminated quoted string');
  if (char === '`') throw new LexError(offset, 'unterminated raw quoted string');
  if (char === "'") throw new LexError(offset, 'unterminated character constant');
  if (/[!-~]/.test(char)) return { kind: 'char', text: char, pos: offset };
  throw new LexError(offset, `unrecognized character in action: ${codePoint(char)}`);
}

function codePoint(char: string): string {
  return `U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')} '${char}'`;
}

/** Names and numbers must be followed by something that is not glued to them. */
function checkEnd(source: string, token: Token): void {
  const { kind, text } = token;
  if (kind !== 'field' && kind !== 'variable' && kind !== 'identifier' && kind !== 'dot' && kind !== 'number') return;
  const after = source.slice(token.pos + text.length);
  if (after === '' || /^(?:[\s.,|:)(]|\}\}|=)/.test(after)) return;
  if (kind === 'number') {
    if (/^[\p{L}\p{N}_]/u.test(after)) {
      throw new LexError(token.pos, `bad number syntax: ${JSON.stringify(text + [...after][0])}`);
    }
    return;
  }
  throw new LexError(token.pos, `bad character ${codePoint(String.fromCodePoint(after.codePointAt(0) ?? 0))}`);
}

function wordKind(text: string): TokenKind {
  if (text === 'true' || text === 'false') return 'bool';
  if (text === 'nil') return 'nil';
  return keywords.has(text) ? 'keyword' : 'identifier';
}
