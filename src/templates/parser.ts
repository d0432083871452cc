import { tokenize, type Token, type TokenKind } from './lexer.ts';
import type { Command, Node, Operand, Pipe, Template } from './nodes.ts';
import { TemplateError } from './template-error.ts';
import { unquote } from '#lib';

/**
 * Parses a Go template.
 *
 * @param functions - Names that may be called.
 * @param name - What messages call the template.
 * @throws {@link TemplateError}
 */
export function parseTemplate(source: string, functions: ReadonlySet<string>, name = ''): Template {
  return new Parser(source, functions, name).parse();
}

const startsOperand: ReadonlySet<TokenKind> = new Set([
  'bool',
  'dot',
  'field',
  'identifier',
  'number',
  'nil',
  'string',
  'variable',
  'leftParen',
]);

type Ending = 'end' | 'else' | 'eof';

class Parser {
  readonly #source: string;
  readonly #name: string;
  readonly #functions: ReadonlySet<string>;
  readonly #tokens: readonly Token[];
  readonly #defined = new Map<string, readonly Node[]>();
  #at = 0;
  #variables: string[] = ['$'];
  #rangeDepth = 0;

  constructor(source: string, functions: ReadonlySet<string>, name: string) {
    this.#name = name;
    this.#source = source;
    this.#functions = functions;
    this.#tokens = tokenize(source);
  }

  parse(): Template {
    const { nodes, ending, token } = this.#list();
    if (ending !== 'eof') this.#fail(token, `unexpected {{${ending}}}`);
    return { source: this.#source, name: this.#name, root: nodes, defined: this.#defined };
  }

  #peek(): Token {
    const token = this.#tokens[this.#at] ?? { kind: 'end', text: '', pos: this.#source.length };
    return token.kind === 'error' ? this.#fail(token, token.text) : token;
  }

  #next(): Token {
    const token = this.#peek();
    this.#at++;
    return token;
  }

  #skipSpace(): Token {
    while (this.#peek().kind === 'space') this.#at++;
    return this.#peek();
  }

  #fail(token: Token, why: string): never {
    throw new TemplateError(this.#source, token.pos, why, this.#name);
  }

  #unexpected(token: Token, where: string): never {
    if (token.kind === 'end') this.#fail(token, 'unexpected EOF');
    const shown = token.kind === 'keyword' ? `<${token.text}>` : JSON.stringify(token.text);
    this.#fail(token, `unexpected ${shown} in ${where}`);
  }

  /** Nodes up to `{{end}}`, `{{else}}` or the end of the source; the ending keyword is consumed, its close is not. */
  #list(): { nodes: Node[]; ending: Ending; token: Token } {
    const nodes: Node[] = [];
    for (;;) {
      const token = this.#next();
      if (token.kind === 'end') return { nodes, ending: 'eof', token };
      if (token.kind === 'text') {
        nodes.push({ kind: 'text', text: token.text });
        continue;
      }
      const first = this.#skipSpace();
      if (first.kind === 'keyword') {
        this.#at++;
        if (first.text === 'end' || first.text === 'else') return { nodes, ending: first.text, token: first };
        this.#keyword(first, nodes);
        continue;
      }
      nodes.push({ kind: 'action', pipe: this.#pipe('command', 'close') });
    }
  }

  #keyword(token: Token, nodes: Node[]): void {
    switch (token.text) {
      case 'if':
      case 'with':
      case 'range':
        nodes.push(this.#control(token.text, token.pos));
        return;
      case 'define':
        this.#define();
        return;
      case 'block':
        nodes.push(this.#block(token.pos));
        return;
      case 'template':
        nodes.push(this.#template());
        return;
      case 'break':
      case 'continue':
        if (this.#rangeDepth === 0) this.#fail(token, `{{${token.text}}} outside {{range}}`);
        this.#expectClose(`{{${token.text}}}`);
        nodes.push({ kind: token.text, pos: token.pos });
        return;
      default:
        this.#unexpected(token, 'command');
    }
  }

  #control(kind: 'if' | 'with' | 'range', pos: number): Node {
    const scope = this.#variables.length;
    const pipe = this.#pipe(kind, 'close');
    if (kind === 'range') this.#rangeDepth++;
    const { nodes: body, ending, token } = this.#list();
    if (kind === 'range') this.#rangeDepth--;
    if (ending === 'eof') this.#fail(token, 'unexpected EOF');
    const otherwise = ending === 'else' ? this.#otherwise(kind) : undefined;
    if (ending === 'end') this.#expectClose('end');
    this.#variables.length = scope;
    return { kind, pos, pipe, body, otherwise };
  }

  /** After `else`: `else if` and `else with` nest, and share the one `end`. */
  #otherwise(kind: string): Node[] {
    const next = this.#skipSpace();
    if (next.kind === 'keyword' && (next.text === 'if' || next.text === 'with') && next.text === kind) {
      this.#at++;
      return [this.#control(next.text, next.pos)];
    }
    this.#expectClose('else');
    const { nodes, ending, token } = this.#list();
    if (ending === 'eof') this.#fail(token, 'unexpected EOF');
    if (ending === 'else') this.#fail(token, 'expected end; found {{else}}');
    this.#expectClose('end');
    return nodes;
  }

  #definition(): readonly Node[] {
    const { nodes, ending, token } = this.#list();
    if (ending === 'eof') this.#fail(token, 'unexpected EOF');
    if (ending === 'else') this.#fail(token, 'unexpected {{else}} in define clause');
    this.#expectClose('end');
    return nodes;
  }

  #define(): void {
    const name = this.#templateName('define clause');
    this.#expectClose('define clause');
    const outer = this.#variables;
    this.#variables = ['$'];
    this.#defined.set(name, this.#definition());
    this.#variables = outer;
  }

  #block(pos: number): Node {
    const name = this.#templateName('block clause');
    const pipe = this.#pipe('block clause', 'close');
    const outer = this.#variables;
    this.#variables = ['$'];
    this.#defined.set(name, this.#definition());
    this.#variables = outer;
    return { kind: 'template', pos, name, pipe };
  }

  #template(): Node {
    const { pos } = this.#skipSpace();
    const name = this.#templateName('template clause');
    if (this.#skipSpace().kind === 'close') {
      this.#at++;
      return { kind: 'template', pos, name, pipe: undefined };
    }
    return { kind: 'template', pos, name, pipe: this.#pipe('template clause', 'close') };
  }

  #templateName(where: string): string {
    const token = this.#skipSpace();
    if (token.kind !== 'string') this.#unexpected(token, where);
    this.#at++;
    return unquote(token.text) ?? this.#fail(token, `invalid syntax: ${token.text}`);
  }

  #expectClose(where: string): void {
    const token = this.#skipSpace();
    if (token.kind !== 'close') this.#unexpected(token, where);
    this.#at++;
  }

  #pipe(where: string, end: TokenKind): Pipe {
    const pos = this.#skipSpace().pos;
    const { variables, assigns } = this.#declarations(where);
    const commands: Command[] = [];
    for (;;) {
      const token = this.#skipSpace();
      if (token.kind === end) {
        this.#at++;
        if (commands.length === 0) this.#fail(token, `missing value for ${where}`);
        this.#checkPipe(commands, token);
        this.#variables.push(...(assigns ? [] : variables));
        return { pos, variables, assigns, commands };
      }
      if (!startsOperand.has(token.kind)) this.#unexpected(token, where);
      commands.push(this.#command(end));
    }
  }

  #checkPipe(commands: readonly Command[], token: Token): void {
    for (const [index, command] of commands.entries()) {
      const kind = command.args[0]?.kind;
      if (
        index > 0 &&
        (kind === 'bool' || kind === 'dot' || kind === 'nil' || kind === 'number' || kind === 'string')
      ) {
        this.#fail(token, `non executable command in pipeline stage ${index + 1}`);
      }
    }
  }

  /** `$x :=`, `$x =`, `$i, $x :=` at the start of a pipe, or nothing. */
  #declarations(where: string): { variables: string[]; assigns: boolean } {
    const start = this.#at;
    const variables: string[] = [];
    for (;;) {
      const token = this.#skipSpace();
      if (token.kind !== 'variable') break;
      this.#at++;
      const next = this.#skipSpace();
      if (next.kind === 'declare' || next.kind === 'assign') {
        this.#at++;
        return { variables: [...variables, token.text], assigns: next.kind === 'assign' };
      }
      if (next.kind !== 'comma') break;
      if (where !== 'range' || variables.length > 0) this.#fail(next, `too many declarations in ${where}`);
      this.#at++;
      variables.push(token.text);
    }
    this.#at = start;
    return { variables: [], assigns: false };
  }

  #command(end: TokenKind): Command {
    const pos = this.#skipSpace().pos;
    const args: Operand[] = [];
    for (;;) {
      const operand = this.#operand();
      if (operand) args.push(operand);
      const token = this.#next();
      if (token.kind === 'space') {
        const after = this.#skipSpace();
        if (after.kind === 'pipe' || after.kind === end) continue;
        if (operand) continue;
      }
      if (token.kind === 'space') continue;
      if (token.kind === end) {
        this.#at--;
        break;
      }
      if (token.kind === 'pipe') {
        break;
      }
      this.#unexpected(token, 'operand');
    }
    if (args.length === 0) this.#fail(this.#peek(), 'empty command');
    return { pos, args };
  }

  #operand(): Operand | undefined {
    const term = this.#term();
    if (!term || this.#peek().kind !== 'field') return term;
    const pos = this.#peek().pos;
    const names: string[] = [];
    while (this.#peek().kind === 'field') names.push(this.#next().text.slice(1));
    if (term.kind === 'field') return { kind: 'field', pos, names: [...term.names, ...names] };
    if (term.kind === 'variable') return { ...term, pos, names };
    if (
      term.kind === 'bool' ||
      term.kind === 'string' ||
      term.kind === 'number' ||
      term.kind === 'nil' ||
      term.kind === 'dot'
    ) {
      this.#fail(
        this.#peek(),
        `unexpected . after term ${JSON.stringify(this.#tokens[this.#at - names.length - 1]?.text ?? '')}`,
      );
    }
    return { kind: 'chain', pos, base: term, names };
  }

  #term(): Operand | undefined {
    const token = this.#peek();
    const { pos, text } = token;
    switch (token.kind) {
      case 'identifier':
        this.#at++;
        if (!this.#functions.has(text)) this.#fail(token, `function ${JSON.stringify(text)} not defined`);
        return { kind: 'function', pos, name: text };
      case 'dot':
        this.#at++;
        return { kind: 'dot', pos };
      case 'nil':
        this.#at++;
        return { kind: 'nil', pos };
      case 'bool':
        this.#at++;
        return { kind: 'bool', pos, value: text === 'true' };
      case 'number':
        this.#at++;
        return { kind: 'number', pos, text };
      case 'string':
        this.#at++;
        return { kind: 'string', pos, quoted: text, value: unquote(text) ?? this.#fail(token, 'invalid syntax') };
      case 'field':
        this.#at++;
        return { kind: 'field', pos, names: [text.slice(1)] };
      case 'variable':
        this.#at++;
        if (!this.#variables.includes(text)) this.#fail(token, `undefined variable ${JSON.stringify(text)}`);
        return { kind: 'variable', pos, name: text, names: [] };
      case 'leftParen':
        this.#at++;
        return { kind: 'pipe', pos, pipe: this.#pipe('parenthesized pipeline', 'rightParen') };
      default:
        return undefined;
    }
  }
}
