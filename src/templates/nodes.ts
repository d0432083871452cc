/** Syntax trees of Go templates. `pos` is the offset in the source, for messages. */

export type Operand =
  | { readonly kind: 'dot'; readonly pos: number }
  | { readonly kind: 'nil'; readonly pos: number }
  | { readonly kind: 'bool'; readonly pos: number; readonly value: boolean }
  | { readonly kind: 'string'; readonly pos: number; readonly quoted: string; readonly value: string }
  | { readonly kind: 'number'; readonly pos: number; readonly text: string }
  | { readonly kind: 'field'; readonly pos: number; readonly names: readonly string[] }
  | { readonly kind: 'variable'; readonly pos: number; readonly name: string; readonly names: readonly string[] }
  | { readonly kind: 'function'; readonly pos: number; readonly name: string }
  | { readonly kind: 'chain'; readonly pos: number; readonly base: Operand; readonly names: readonly string[] }
  | { readonly kind: 'pipe'; readonly pos: number; readonly pipe: Pipe };

export interface Command {
  readonly pos: number;
  readonly args: readonly Operand[];
}

export interface Pipe {
  readonly pos: number;
  readonly variables: readonly string[];
  readonly assigns: boolean;
  readonly commands: readonly Command[];
}

export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly pipe: Pipe }
  | {
      readonly kind: 'if' | 'with' | 'range';
      readonly pos: number;
      readonly pipe: Pipe;
      readonly body: Node[];
      readonly otherwise: Node[] | undefined;
    }
  | { readonly kind: 'break' | 'continue'; readonly pos: number }
  | { readonly kind: 'template'; readonly pos: number; readonly name: string; readonly pipe: Pipe | undefined };

/** A parsed template: its own nodes and those of every `define` and `block` in it. */
export interface Template {
  readonly source: string;
  /** What messages call it; mostly nothing. */
  readonly name: string;
  readonly root: readonly Node[];
  readonly defined: ReadonlyMap<string, readonly Node[]>;
}

/** The source form of an operand as Go prints it in messages. */
export function printOperand(node: Operand): string {
  switch (node.kind) {
    case 'dot':
      return '.';
    case 'nil':
      return 'nil';
    case 'bool':
      return String(node.value);
    case 'string':
      return node.quoted;
    case 'number':
      return node.text;
    case 'field':
      return node.names.map((name) => `.${name}`).join('');
    case 'variable':
      return [node.name, ...node.names].join('.');
    case 'function':
      return node.name;
    case 'chain': {
      const base = node.base.kind === 'pipe' ? `(${printPipe(node.base.pipe)})` : printOperand(node.base);
      return base + node.names.map((name) => `.${name}`).join('');
    }
    case 'pipe':
      return `(${printPipe(node.pipe)})`;
  }
}

export function printCommand(command: Command): string {
  return command.args.map(printOperand).join(' ');
}

export function printPipe(pipe: Pipe): string {
  const declared = pipe.variables.length === 0 ? '' : `${pipe.variables.join(', ')} ${pipe.assigns ? '=' : ':='} `;
  return declared + pipe.commands.map(printCommand).join(' | ');
}
