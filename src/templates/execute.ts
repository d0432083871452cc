import type { FunctionTable, TemplateFunction } from './functions.ts';
import {
  type Command,
  type Node,
  type Operand,
  type Pipe,
  printCommand,
  printOperand,
  printPipe,
  type Template,
} from './nodes.ts';
import { printValue } from './print.ts';
import { CallError, TemplateExecError } from './template-error.ts';
import { GoFloat, GoMap, GoRow, type GoValue, isTrue, sortedKeys, typeName } from './values.ts';

export interface ExecuteOptions {
  readonly functions: FunctionTable;
  /** Asking a map for a key it lacks is an error (`missingkey=error`), else Go's "no value". */
  readonly missingKeyIsError?: boolean;
  /** The data was decoded without types, so messages call every value `interface {}`. */
  readonly untyped?: boolean;
}

/** Runs a template over `data`. @throws {@link TemplateExecError} */
export function executeTemplate(template: Template, data: GoValue, options: ExecuteOptions): string {
  return new Executor(template, options).run(data);
}

/** Templates calling themselves deeper than this are stopped, as in Go. */
const maxDepth = 1000;

class BreakSignal extends Error {}
class ContinueSignal extends Error {}

class Executor {
  readonly #template: Template;
  readonly #options: ExecuteOptions;
  #out = '';
  #variables: { name: string; value: GoValue }[] = [];
  #depth = 0;
  /** The operand looked at last; Go names it when a chain's field fails. */
  #last: Operand | undefined;

  constructor(template: Template, options: ExecuteOptions) {
    this.#template = template;
    this.#options = options;
  }

  run(data: GoValue): string {
    this.#variables = [{ name: '$', value: data }];
    this.#walk(this.#template.root, data);
    return this.#out;
  }

  #fail(node: Operand | Command | Pipe, why: string): never {
    const text = 'kind' in node ? printOperand(node) : 'args' in node ? printCommand(node) : printPipe(node);
    throw new TemplateExecError(this.#template, node.pos, text, why);
  }

  #walk(nodes: readonly Node[], dot: GoValue): void {
    for (const node of nodes) {
      switch (node.kind) {
        case 'text':
          this.#out += node.text;
          break;
        case 'action': {
          const value = this.#pipe(node.pipe, dot);
          if (node.pipe.variables.length === 0) this.#out += printValue(value);
          break;
        }
        case 'if':
        case 'with':
          this.#condition(node, dot);
          break;
        case 'range':
          this.#range(node, dot);
          break;
        case 'template':
          this.#callTemplate(node, dot);
          break;
        case 'break':
          throw new BreakSignal();
        case 'continue':
          throw new ContinueSignal();
      }
    }
  }

  #condition(node: Extract<Node, { kind: 'if' | 'with' | 'range' }>, dot: GoValue): void {
    const scope = this.#variables.length;
    const value = this.#pipe(node.pipe, dot);
    if (isTrue(value)) this.#walk(node.body, node.kind === 'with' ? value : dot);
    else if (node.otherwise) this.#walk(node.otherwise, dot);
    this.#variables.length = scope;
  }

  #range(node: Extract<Node, { kind: 'if' | 'with' | 'range' }>, dot: GoValue): void {
    const scope = this.#variables.length;
    const items = this.#itemsOf(node.pipe, this.#pipe(node.pipe, dot, true));
    const inner = this.#variables.length;
    try {
      for (const [key, value] of items) {
        this.#variables.length = inner;
        this.#bindRange(node.pipe, key, value);
        try {
          this.#walk(node.body, value);
        } catch (signal) {
          if (!(signal instanceof ContinueSignal)) throw signal;
        }
      }
    } catch (signal) {
      if (!(signal instanceof BreakSignal)) throw signal;
    }
    this.#variables.length = scope;
    if (items.length === 0 && node.otherwise) this.#walk(node.otherwise, dot);
  }

  #bindRange(pipe: Pipe, key: GoValue, value: GoValue): void {
    const [first, second] = pipe.variables;
    const bind = (name: string, bound: GoValue): void => {
      if (pipe.assigns) this.#assign(pipe, name, bound);
      else this.#variables.push({ name, value: bound });
    };
    if (first !== undefined) bind(first, second === undefined ? value : key);
    if (second !== undefined) bind(second, value);
  }

  #itemsOf(pipe: Pipe, value: GoValue): (readonly [GoValue, GoValue])[] {
    if (value === null || value === undefined) return [];
    if (Array.isArray(value)) return value.map((item: GoValue, index) => [index, item] as const);
    if (value instanceof GoMap && value.structName === undefined) {
      return sortedKeys(value).map((key) => [key, value.entries.get(key)] as const);
    }
    if (typeof value === 'number')
      return Array.from({ length: Math.max(0, value) }, (_none, index) => [index, index] as const);
    return this.#fail(pipe, `range can't iterate over ${printValue(value)}`);
  }

  #callTemplate(node: Extract<Node, { kind: 'template' }>, dot: GoValue): void {
    const at: Operand = {
      kind: 'string',
      pos: node.pos,
      quoted: `{{template ${JSON.stringify(node.name)}}}`,
      value: '',
    };
    const body = this.#template.defined.get(node.name);
    if (!body) return this.#fail(at, `template ${JSON.stringify(node.name)} not defined`);
    if (++this.#depth > maxDepth) this.#fail(at, 'exceeded maximum template depth (1000)');
    const value = node.pipe ? this.#pipe(node.pipe, dot) : undefined;
    const outer = this.#variables;
    this.#variables = [{ name: '$', value }];
    this.#walk(body, value);
    this.#variables = outer;
    this.#depth--;
  }

  /** A pipe's value; its variables are set, except those of a range, which are set per item. */
  #pipe(pipe: Pipe, dot: GoValue, forRange = false): GoValue {
    let value: GoValue;
    let first = true;
    for (const command of pipe.commands) {
      value = this.#command(command, dot, first ? [] : [value]);
      first = false;
    }
    if (forRange) return value;
    for (const name of pipe.variables) {
      if (pipe.assigns) this.#assign(pipe, name, value);
      else this.#variables.push({ name, value });
    }
    return value;
  }

  #assign(pipe: Pipe, name: string, value: GoValue): void {
    const variable = this.#variables.findLast((candidate) => candidate.name === name);
    if (!variable) return this.#fail(pipe, `undefined variable: ${name}`);
    variable.value = value;
  }

  /** `piped` holds the value of the stage before, if there is one. */
  #command(command: Command, dot: GoValue, piped: readonly GoValue[]): GoValue {
    const [head, ...rest] = command.args;
    if (!head) return undefined;
    this.#last = head;
    switch (head.kind) {
      case 'field':
        return this.#fields(dot, head, head.names, dot, rest, piped);
      case 'chain':
        return this.#chain(dot, head, rest, piped);
      case 'variable':
        if (head.names.length > 0) return this.#fields(dot, head, head.names, this.#variable(head), rest, piped);
        break;
      case 'function':
        return this.#callFunction(head, command, rest, dot, piped);
      default:
        break;
    }
    if (rest.length > 0 || piped.length > 0)
      this.#fail(head, `can't give argument to non-function ${printOperand(head)}`);
    if (head.kind === 'nil') this.#fail(head, 'nil is not a command');
    return this.#operand(head, dot);
  }

  #operand(node: Operand, dot: GoValue): GoValue {
    this.#last = node;
    switch (node.kind) {
      case 'dot':
        return dot;
      case 'nil':
        return null;
      case 'bool':
      case 'string':
        return node.value;
      case 'number':
        return this.#number(node);
      case 'field':
        return this.#fields(dot, node, node.names, dot, [], []);
      case 'variable':
        return this.#fields(dot, node, node.names, this.#variable(node), [], []);
      case 'chain':
        return this.#chain(dot, node, [], []);
      case 'pipe':
        return this.#pipe(node.pipe, dot);
      case 'function':
        return this.#callFunction(node, node, [], dot, []);
    }
  }

  #number(node: Extract<Operand, { kind: 'number' }>): GoValue {
    const text = node.text.replaceAll('_', '');
    if (text.startsWith("'")) return characterCode(text.slice(1, -1));
    if (/[.eE]/.test(text) && !/^[+-]?0[xX]/.test(text)) return new GoFloat(Number(text));
    const [, sign = '', digits = ''] = /^([+-]?)(.*)$/.exec(text) ?? [];
    const magnitude = BigInt(/^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits);
    const value = sign === '-' ? -magnitude : magnitude;
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  #variable(node: Extract<Operand, { kind: 'variable' }>): GoValue {
    return this.#variables.findLast((candidate) => candidate.name === node.name)?.value;
  }

  #chain(
    dot: GoValue,
    node: Extract<Operand, { kind: 'chain' }>,
    args: readonly Operand[],
    piped: readonly GoValue[],
  ): GoValue {
    const base = this.#operand(node.base, dot);
    return this.#fields(dot, this.#last ?? node, node.names, base, args, piped);
  }

  #fields(
    dot: GoValue,
    node: Operand,
    names: readonly string[],
    start: GoValue,
    args: readonly Operand[],
    piped: readonly GoValue[],
  ): GoValue {
    let value = start;
    for (const [index, name] of names.entries()) {
      const last = index === names.length - 1;
      value = this.#field(dot, node, name, value, last ? args : [], last ? piped : []);
    }
    return value;
  }

  #field(
    dot: GoValue,
    node: Operand,
    name: string,
    receiver: GoValue,
    args: readonly Operand[],
    piped: readonly GoValue[],
  ): GoValue {
    const hasArgs = args.length + piped.length > 0;
    if (receiver instanceof GoRow) return this.#rowField(dot, node, name, receiver, args, piped);
    if (receiver instanceof GoMap && (receiver.entries.has(name) || receiver.structName === undefined)) {
      if (hasArgs) this.#fail(node, `${name} is not a method but has arguments`);
      if (receiver.entries.has(name)) return receiver.entries.get(name);
      if (this.#options.missingKeyIsError) this.#fail(node, `map has no entry for key ${JSON.stringify(name)}`);
      return undefined;
    }
    if (receiver === null || receiver === undefined) {
      if (receiver === undefined && !this.#options.missingKeyIsError) return undefined;
      if (receiver === undefined) this.#fail(node, `nil data; no entry for key ${JSON.stringify(name)}`);
      this.#fail(node, `nil pointer evaluating interface {}.${name}`);
    }
    return this.#fail(
      node,
      `can't evaluate field ${name} in type ${this.#options.untyped ? 'interface {}' : typeName(receiver)}`,
    );
  }

  #rowField(
    dot: GoValue,
    node: Operand,
    name: string,
    row: GoRow,
    args: readonly Operand[],
    piped: readonly GoValue[],
  ): GoValue {
    const method = Object.hasOwn(row.methods, name) ? row.methods[name] : undefined;
    const column = Object.hasOwn(row.columns, name) ? row.columns[name] : undefined;
    if (!method && !column) this.#fail(node, `can't evaluate field ${name} in type ${row.typeName}`);
    const values = [...args.map((arg) => this.#operand(arg, dot)), ...piped];
    const wanted = method ? 1 : 0;
    if (values.length !== wanted) {
      this.#fail(node, `wrong number of args for ${name}: want ${wanted} got ${values.length}`);
    }
    return method ? method(String(values[0])) : column?.();
  }

  #callFunction(
    node: Extract<Operand, { kind: 'function' }>,
    at: Operand | Command,
    args: readonly Operand[],
    dot: GoValue,
    piped: readonly GoValue[],
  ): GoValue {
    const { name } = node;
    const fn = this.#options.functions.get(name);
    if (!fn) return this.#fail(node, `${JSON.stringify(name)} is not a defined function`);
    const count = args.length + piped.length;
    this.#checkCount(node, fn, count);
    if (name === 'and' || name === 'or') return this.#shortCircuit(name, args, dot, piped);
    const values = args.map((arg, index) => this.#checkedArgument(arg, this.#operand(arg, dot), fn, index));
    const all = [
      ...values,
      ...piped.map((value, index) => this.#checkedArgument(node, value, fn, args.length + index)),
    ];
    try {
      return fn.call(...all);
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      return this.#fail(at, `error calling ${name}: ${error.message}`);
    }
  }

  #checkCount(node: Operand, fn: TemplateFunction, count: number): void {
    const fixed = fn.parameters.filter((parameter) => parameter !== '...').length;
    const open = fn.parameters.includes('...');
    const name = printOperand(node);
    if (open && count < fixed)
      this.#fail(node, `wrong number of args for ${name}: want at least ${fixed} got ${count}`);
    if (!open && count !== fixed) this.#fail(node, `wrong number of args for ${name}: want ${fixed} got ${count}`);
  }

  #checkedArgument(node: Operand, value: GoValue, fn: TemplateFunction, index: number): GoValue {
    const wanted = fn.parameters[index];
    if (wanted === 'string' && typeof value !== 'string') this.#wrongType(node, value, 'string');
    if (wanted === 'int' && typeof value !== 'number') this.#wrongType(node, value, 'int');
    return value;
  }

  #wrongType(node: Operand, value: GoValue, wanted: 'string' | 'int'): never {
    const article = wanted === 'int' ? 'integer' : wanted;
    const constant = node.kind === 'string' || node.kind === 'number' || node.kind === 'bool';
    if (constant) this.#fail(node, `expected ${article}; found ${printOperand(node)}`);
    if (value === null || value === undefined) {
      this.#fail(node, `invalid value; expected ${wanted}`);
    }
    this.#fail(node, `wrong type for value; expected ${wanted}; got ${typeName(value)}`);
  }

  #shortCircuit(name: 'and' | 'or', args: readonly Operand[], dot: GoValue, piped: readonly GoValue[]): GoValue {
    let value: GoValue;
    for (const arg of args) {
      value = this.#operand(arg, dot);
      if (isTrue(value) === (name === 'or')) return value;
    }
    return piped.length > 0 ? piped[0] : value;
  }
}

const escapedCharacters: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, a: 7, b: 8, f: 12, v: 11 };

/** The code of a character constant's inside, `a` or `\\n`. */
function characterCode(text: string): number | undefined {
  if (!text.startsWith('\\')) return text.codePointAt(0);
  const rest = text.slice(1);
  if (/^[xu]/.test(rest)) return Number.parseInt(rest.slice(1), 16);
  if (/^[0-7]/.test(rest)) return Number.parseInt(rest, 8);
  return escapedCharacters[rest] ?? rest.codePointAt(0);
}
